"""Who reads what."""

from __future__ import annotations

import pytest

from harness.preset import load, names, presets

NOBODYS = (
    "NCCL_GPUDIRECTTCPX_RX_COMPLETION_NANOSLEEP",
    "NCCL_GPUDIRECTTCPX_MIN_ZCOPY_SIZE",
    "NCCL_GPUDIRECTTCPX_PROGRAM_CONNECT_TIMEOUT_MS",
    "NCCL_GPUDIRECTTCPX_TIMEOUT_REPORT_THRESHOLD_NANOS",
    "NCCL_GPUDIRECTTCPX_DEBUG_LEVEL",
    "UCCL_TCPX_WINDOW_SIZE",
)


@pytest.mark.parametrize("name", NOBODYS)
def test_what_nobody_reads_is_known(name: str) -> None:
    assert names()[name].read_by == ()
    assert names()[name].readers == "nobody"


def test_the_trap_is_known_by_its_default() -> None:
    chunk_size = names()["NCCL_DYNAMIC_CHUNK_SIZE"]
    assert (chunk_size.by_plugin, chunk_size.default) == (True, "0")


def test_ncclls_own_names_are_not_the_plugins() -> None:
    assert not names()["NCCL_ALGO"].by_plugin
    assert names()["NCCL_NSOCKS_PERTHREAD"].read_by == ("plugin", "nccl")


def test_every_name_has_a_meaning() -> None:
    assert [name.name for name in names().values() if not name.meaning] == []


def test_no_preset_sets_what_nobody_reads() -> None:
    stated = {name for preset in presets() for name in load(preset).environment}
    assert [name for name in sorted(stated) if not names()[name].read_by] == []
