"""The six sets: all there, all sound, each as its source has it; and what a bad file is told."""

from __future__ import annotations

import pytest

from harness.errors import PresetError
from harness.preset import load, presets
from harness.preset.preset import read

SIX = ("container-engine", "gke", "healthcheck", "skypilot", "slurm", "straggler")
WAIT = "NCCL_GPUDIRECTTCPX_PROGRAM_FLOW_STEERING_WAIT_MICROS"
COMMON = {
    "NCCL_CROSS_NIC": "0",
    "NCCL_ALGO": "Ring",
    "NCCL_PROTO": "Simple",
    "NCCL_NET_GDR_LEVEL": "PIX",
    "NCCL_P2P_PXN_LEVEL": "0",
    "NCCL_NSOCKS_PERTHREAD": "4",
    "NCCL_SOCKET_NTHREADS": "1",
    "NCCL_DYNAMIC_CHUNK_SIZE": "524288",
}


def test_there_are_six() -> None:
    assert presets() == SIX


@pytest.mark.parametrize("name", SIX)
def test_each_says_what_all_say(name: str) -> None:
    preset = load(name)
    assert preset.name == name
    assert {k: preset.environment[k] for k in COMMON} == COMMON


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        ("gke", WAIT, "500000"),
        ("slurm", WAIT, "500000"),
        ("straggler", WAIT, "500000"),
        ("healthcheck", WAIT, "1000000"),
        ("container-engine", WAIT, "1000000"),
        ("skypilot", WAIT, "50000"),
        ("straggler", "NCCL_GPUDIRECTTCPX_FORCE_ACK", "1"),
        ("skypilot", "NCCL_BUFFSIZE", "8388608"),
        ("slurm", "NCCL_GPUDIRECTTCPX_CTRL_DEV", "enp0s12"),
        ("gke", "NCCL_GPUDIRECTTCPX_CTRL_DEV", "eth0"),
    ],
)
def test_each_says_its_own(name: str, variable: str, value: str) -> None:
    assert load(name).environment[variable] == value


@pytest.mark.parametrize(
    ("name", "near", "far"),
    [
        ("gke", "22-35,126-139", "74-87,178-191"),
        ("straggler", "22-35,124-137", "74-87,178-191"),
        ("container-engine", "22-35,124-139", "74-87,178-191"),
    ],
)
def test_receiving_threads_have_the_cpus_of_their_nics_numa_node(
    name: str, near: str, far: str
) -> None:
    bindings = load(name).environment["NCCL_GPUDIRECTTCPX_RX_BINDINGS"]
    assert bindings == f"eth1:{near};eth2:{near};eth3:{far};eth4:{far}"


def test_what_a_script_leaves_to_its_caller_is_not_stated() -> None:
    preset = load("healthcheck")
    assert "NCCL_MAX_NCHANNELS" in preset.left_open
    assert not set(preset.left_open) & set(preset.environment)


def test_a_job_number_is_filled_in() -> None:
    environment = load("slurm").resolved({"SLURM_JOB_ID": "77"})
    assert environment["NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX"] == "/run/tcpx-77"


def test_a_job_number_that_is_not_there_is_named() -> None:
    with pytest.raises(PresetError, match=r"'slurm' needs SLURM_JOB_ID.*export SLURM_JOB_ID="):
        load("slurm").resolved({})


def test_an_unknown_preset_is_told_the_known_ones() -> None:
    with pytest.raises(PresetError, match="no preset 'gcp'; expected one of container-engine, gke"):
        load("gcp")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title = ", "Invalid value"),
        ('titel = "x"', "unknown key 'titel'"),
        ('title = "x"', "source is missing"),
        ('title = "x"\nsource = "y"', "environment is missing"),
        ("[environment]\nNCCL_ALGO = 1", 'NCCL_ALGO is 1, expected text in quotes, "1"'),
        ('[environment]\nNCCL_ALGOO = "x"', "NCCL_ALGOO is unknown"),
        ('[environment]\nnccl = "x"', "'nccl' is no variable's name"),
        ('[environment]\nNCCL_ALGO = "a $ b"', "expected $$ for a dollar"),
        (
            '[environment]\nNCCL_ALGO = "x"\n[left_open]\nNCCL_ALGO = "y"',
            "NCCL_ALGO is left open and stated",
        ),
    ],
)
def test_a_bad_file_is_told_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(PresetError) as caught:
        read("bad", text)
    assert problem in str(caught.value)
    assert caught.value.where == "bad"
