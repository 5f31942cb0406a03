from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from harness.errors import InventoryError
from harness.inventory import GpuSpec, NicSpec, NodeSpec, TestbedSpec, load

NODES = Path(__file__).parents[3] / "node_ips"
TWO = """
[[node]]
name = "a"
address = "10.0.0.1"
nics = ["eth1", "eth2"]
[[node]]
name = "b"
address = "10.0.0.2"
nics = ["eth1", "eth2"]
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        file = tmp_path / "lab.toml"
        file.write_text(text)
        return file

    return write


@pytest.fixture
def problems(write):
    """The problem lines of a file, without its name."""

    def problems(text: str) -> list[str]:
        file = write(text)
        with pytest.raises(InventoryError) as caught:
            load(file)
        lines = caught.value.seen.splitlines()
        assert all(line.startswith(f"{file}: ") for line in lines)
        return [line.removeprefix(f"{file}: ") for line in lines]

    return problems


def test_the_example_says_everything_that_one_may_say():
    example = (NODES / "example.toml").read_text()
    known = {f.name for spec in (NodeSpec, NicSpec, GpuSpec) for f in fields(spec)} - {"gpus"}
    assert {key for key in known if key not in example} == set()
    testbed = (NODES / "testbed.toml").read_text()
    assert {f.name for f in fields(TestbedSpec) if f"{f.name} = " not in testbed} == set()


def test_the_example_reads_as_it_is_commented():
    server, client = load(NODES / "example.toml").nodes
    assert server.user == "hil"
    assert server.nic_names == ("eth1", "eth2", "eth3", "eth4")
    assert client.user == "tester"
    assert client.nics[3] == NicSpec(name="eth4", rate_gbit_s=200.0, mtu=8244, numa=1)
    assert client.gpus[1] == GpuSpec(index=4, nic="eth3", numa=1, cpus="52-59,156-163")
    assert [client.cpus_for(gpu) for gpu in (0, 4)] == ["0-7,104-111", "52-59,156-163"]
    assert client.preset == "gke"
    assert client.environment["NCCL_NSOCKS_PERTHREAD"] == "2"
    assert client.environment["NCCL_GPUDIRECTTCPX_CTRL_DEV"] == "mgmt0"
    assert "NCCL_GPUDIRECTTCPX_CTRL_DEV" not in server.environment


def test_two_addresses_and_their_nics_are_enough(write):
    a, b = load(write(TWO)).nodes
    nics = (NicSpec(name="eth1"), NicSpec(name="eth2"))
    assert a == NodeSpec(name="a", address="10.0.0.1", nics=nics)
    assert b.management == "eth0"


def test_a_node_without_a_name_is_called_by_its_address(write):
    assert load(write(TWO.replace('name = "a"\n', ""))).nodes[0].name == "10.0.0.1"


def test_the_tier_is_as_stated(write):
    assert load(write(TWO)).tier == "two-node"
    assert load(write('tier = "two-node-tcpx"\n' + TWO)).tier == "two-node-tcpx"


def test_paths_start_at_home_or_at_the_file(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/hil")
    defaults = '[defaults]\nkey = "keys/id"\nknown_hosts = "~/known"\nssh_config = "/etc/c"\n'
    node = load(write(defaults + TWO)).nodes[0]
    assert node.key == str(tmp_path / "keys" / "id")
    assert node.known_hosts == "/home/hil/known"
    assert node.ssh_config == "/etc/c"


def test_a_nodes_own_nics_replace_the_defaults_in_either_form(write):
    text = TWO.replace('nics = ["eth1", "eth2"]\n', "", 1)
    text += '[[defaults.nic]]\nname = "ens5"\nmtu = 9000\n'
    a, b = load(write(text)).nodes
    assert a.nics == (NicSpec(name="ens5", mtu=9000),)
    assert b.nic_names == ("eth1", "eth2")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ('user = "-oProxyCommand=x"', "node[1].user: '-oProxyCommand=x'; expected a user's name"),
        ("user = 7", "node[1].user: 7; expected a user's name"),
        ("port = 0", "node[1].port: 0; expected 1..65535"),
        ("port = true", "node[1].port: True; expected 1..65535"),
        ('key = ["k"]', "node[1].key: ['k']; expected a path in quotes"),
        ("python = 3.12", "node[1].python: 3.12; expected the interpreter's name or path"),
        ('management = "eth0/1"', "node[1].management: 'eth0/1'; expected the name of a NIC"),
        (
            'management = "eth2"',
            "node[1].management: 'eth2' is a data NIC; expected a NIC that carries no data",
        ),
        ("gpu = 8", "node[1].gpu: 8; expected tables, each headed [[gpu]]"),
        ('environment = "A=1"', "node[1].environment: 'A=1'; expected a table, [environment]"),
        ("environment = { A = 1 }", 'node[1].environment.A: 1; expected text in quotes, "1"'),
        (
            '[[node.gpu]]\nindex = 0\nnic = "eth9"',
            "node[1].gpu[0].nic: 'eth9'; expected a data NIC of the node: eth1, eth2",
        ),
        (
            '[[node.gpu]]\nnic = "eth1"',
            "node[1].gpu[0].index: missing; expected the GPU's index, 0..255",
        ),
        (
            "[[node.gpu]]\nindex = 0",
            "node[1].gpu[0].nic: missing; expected a data NIC of the node: eth1, eth2",
        ),
        (
            '[[node.gpu]]\nindex = 0\nnic = "eth1"\n[[node.gpu]]\nindex = 0\nnic = "eth1"',
            "node[1].gpu[1].index: 0 twice; expected each GPU once",
        ),
        (
            '[[node.nic]]\nname = "eth3"',
            "node[1].nics: beside [[nic]] tables; expected one of the two forms",
        ),
    ],
)
def test_a_bad_value_is_named_by_key_with_what_would_be_right(problems, change, line):
    assert problems(f"{TWO}{change}\n") == [line]


@pytest.mark.parametrize(
    ("nic", "line"),
    [
        ("name = 7", 'node[1].nic[0].name: 7; expected the NIC\'s name, such as "eth1"'),
        ("mtu = 9000", 'node[1].nic[0].name: missing; expected the NIC\'s name, such as "eth1"'),
        (
            'name = "a-very-long-nic-name"',
            "node[1].nic[0].name: 'a-very-long-nic-name'; expected the NIC's name, "
            'such as "eth1"',
        ),
        ('name = "e"\nmtu = 12', "node[1].nic[0].mtu: 12; expected 68..65535"),
        ('name = "e"\nnuma = -2', "node[1].nic[0].numa: -2; expected -1..1023"),
        (
            'name = "e"\nrate_gbit_s = -1',
            "node[1].nic[0].rate_gbit_s: -1; expected a number, 0 or more",
        ),
        (
            'name = "e"\nrate_gbit_s = inf',
            "node[1].nic[0].rate_gbit_s: inf; expected a number, 0 or more",
        ),
        (
            'name = "e"\nspeed = 1',
            "node[1].nic[0].speed: unknown key; expected one of mtu, name, numa, rate_gbit_s",
        ),
        (
            'name = "e"\n[[node.nic]]\nname = "e"',
            "node[1].nic: 'e' twice; expected each NIC once",
        ),
    ],
)
def test_a_bad_nic_is_named_by_key_with_what_would_be_right(problems, nic, line):
    text = TWO.removesuffix('nics = ["eth1", "eth2"]\n')
    assert problems(f"{text}[[node.nic]]\n{nic}\n") == [line]


@pytest.mark.parametrize("nics", ["[]", '"eth1"', '["eth1", 2]', '["a b"]'])
def test_a_short_form_that_is_no_list_of_names_is_refused(problems, nics):
    (line,) = problems(TWO.replace('["eth1", "eth2"]', nics, 1))
    assert line.startswith("node[0].nics: ")


@pytest.mark.parametrize("key", ["adress", "usr", "mangement", "niccs", "enviroment"])
def test_an_unknown_key_is_met_with_a_suggestion(problems, key):
    (line,) = problems(f"{TWO}{key} = 1\n")
    assert line.startswith(f"node[1].{key}: unknown key, did you mean '")


def test_a_problem_of_the_defaults_is_told_once_and_there(problems):
    assert problems("[defaults]\nport = 0\nname = 'x'\n" + TWO) == [
        "defaults.port: 0; expected 1..65535",
        "defaults.name: unknown key; expected one of cpus, environment, gpu, key, known_hosts, "
        "management, nic, nics, port, preset, python, ssh_config, user",
    ]


def test_a_second_node_of_the_same_name_or_address_is_refused(problems):
    text = TWO.replace('"b"', '"a"').replace("10.0.0.2", "10.0.0.1")
    assert problems(text) == [
        "node[1].name: 'a' is node[0]'s already; expected its own",
        "node[1].address: '10.0.0.1' is node[0]'s already; expected its own",
    ]


def test_one_address_may_lead_to_two_machines_by_port(write):
    text = TWO.replace("10.0.0.2", "10.0.0.1") + "port = 2222\n"
    assert [node.port for node in load(write(text)).nodes] == [0, 2222]


def test_one_node_is_not_enough(problems):
    (line,) = problems(TWO.split('[[node]]\nname = "b"', maxsplit=1)[0])
    assert line == "node: 1 of them; expected at least 2 [[node]] tables, first the server"


def test_a_node_in_single_brackets_is_told_apart(problems):
    first, *_ = problems('[node]\naddress = "a"\n')
    assert first == "node: {'address': 'a'}; expected tables, each headed [[node]]"


def test_bad_toml_is_named_with_its_line(problems):
    (line,) = problems("[testbed]\nnodes 2\n")
    assert "line 2" in line


def test_a_testbed_is_as_stated(write):
    text = "[testbed]\nnodes = 3\nrails = 2\ngpus = 4\nrate_gbit_s = 0\nmtu = 1500\nclock_skew_s=1"
    assert load(write(text)).testbed == TestbedSpec(
        nodes=3, rails=2, gpus=4, rate_gbit_s=0.0, mtu=1500, clock_skew_s=1.0
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nodes = 1", "testbed.nodes: 1; expected 2..64"),
        ("rails = 0", "testbed.rails: 0; expected 1..16"),
        ('mtu = "9000"', "testbed.mtu: '9000'; expected 68..65535"),
        (
            "rate_gbits = 1",
            "testbed.rate_gbits: unknown key, did you mean 'rate_gbit_s'?; "
            "expected one of clock_skew_s, gpus, mtu, nodes, rails, rate_gbit_s",
        ),
    ],
)
def test_a_testbed_that_cannot_be_is_refused(problems, text, line):
    assert problems(f"[testbed]\n{text}\n") == [line]


def test_a_testbed_cannot_claim_to_be_machines(problems):
    line = "tier: 'two-node'; expected one of testbed, testbed-gpu"
    assert problems('tier = "two-node"\n[testbed]\n') == [line]


def test_a_testbed_beside_nodes_is_refused(problems):
    line = "node: beside [testbed]; expected either a testbed to build or nodes to reach"
    assert problems(TWO + "[testbed]\n") == [line]


def test_presets_and_cpus_are_read_and_refused(write, problems):
    stated = (
        TWO + 'preset = "gke"\ncpus = "0-3,8"\n[[node.gpu]]\nindex = 2\nnic = "eth1"\ncpus = "4"'
    )
    node = load(write(stated)).nodes[1]
    assert node.preset == "gke"
    assert [node.device_of(gpu) for gpu in (0, 1, 2)] == [2, 1, 2], "by place, then by index"
    assert [node.cpus_for(gpu) for gpu in (0, 1, 2)] == ["4", "0-3,8", "4"]
    (preset,) = problems(TWO + 'preset = "gcp"')
    assert preset.startswith("node[1].preset: 'gcp'; expected one of container-engine, gke")
    (cpus,) = problems(TWO + 'cpus = "8-0"')
    assert cpus == "node[1].cpus: '8-0'; expected CPUs, such as \"0-7,104-111\""


def test_nodes_may_be_meant_to_differ_for_a_reason(write, problems):
    why = '[may_differ]\n"kernel.release" = "one is newer"\n'
    assert load(write(why + TWO)).may_differ == {"kernel.release": "one is newer"}
    (none,) = problems('[may_differ]\n"os" = ""\n' + TWO)
    assert none == "may_differ.os: no reason; expected why these nodes may differ in it"
