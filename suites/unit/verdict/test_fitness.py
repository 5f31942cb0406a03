"""A node that is not fit, whatever the others are."""

from __future__ import annotations

import pytest

from harness.evidence import NodeFacts
from harness.verdict.fitness import absent_nics, unfit

FIT = {
    "plugin.path": "/lib/p.so",
    "plugin.sha256": "ab",
    "plugin.noexec": "no",
    "plugin.reads_chunk_size": "yes",
    "environment.NCCL_DYNAMIC_CHUNK_SIZE": "524288",
    "environment.NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "eth1,eth2",
    "environment.NCCL_GPUDIRECTTCPX_CTRL_DEV": "management",
    "environment.NCCL_GPUDIRECTTCPX_TX_BINDINGS": "eth1:8-21,112-125;eth2:8-21,112-125",
    "cpu.online": "0-207",
    "plugin.interfaces": "eth1,eth2",
    "nic.eth1.name": "eth1",
    "nic.eth2.name": "eth2",
    "nic.eth1.header_split": "on",
    "nic.eth2.header_split": "on",
    "devmem.vendor": "yes",
}
IFNAME = "environment.NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"
BINDINGS = "environment.NCCL_GPUDIRECTTCPX_TX_BINDINGS"
PLUGIN = "environment.NCCL_"


def reasons(
    tier: str = "two-node", *, plugin: bool = True, lost: str = "", **changed: str
) -> tuple[str, ...]:
    facts = {**FIT, **{key.replace("__", "."): value for key, value in changed.items()}}
    facts.pop(lost, None)
    unknown = {lost: "No such file or directory"} if lost == "plugin.sha256" else {}
    return unfit(NodeFacts(node="a", facts=facts, unknown=unknown), tier=tier, wants_plugin=plugin)


@pytest.mark.parametrize("tier", ["testbed", "two-node", "two-node-tcpx"])
def test_a_fit_node_is_told_nothing(tier: str) -> None:
    assert reasons(tier) == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"plugin.path": "none"}, "plugin.path is none"),
        ({"plugin.noexec": "yes"}, "plugin.noexec is yes: /lib/p.so lies on a mount"),
        ({f"{PLUGIN}DYNAMIC_CHUNK_SIZE": "0"}, "NCCL_DYNAMIC_CHUNK_SIZE is 0, expected a size"),
        ({f"{PLUGIN}DYNAMIC_CHUNK_SIZE": "big"}, "NCCL_DYNAMIC_CHUNK_SIZE is big"),
        (
            {IFNAME: "enp6s0,enp12s0", "plugin.interfaces": "none"},
            "SOCKET_IFNAME is enp6s0,enp12s0, which takes none there, expected the data NICs eth1",
        ),
        ({IFNAME: "^eth2", "plugin.interfaces": "eth1,lo"}, "is ^eth2, which takes eth1,lo there"),
        (
            {IFNAME: "eth", "plugin.interfaces": "eth1,eth2,management"},
            "is eth, which takes eth1,eth2,management there, expected the data NICs eth1,eth2:",
        ),
        ({"cpu.online": "0-111"}, "TX_BINDINGS is eth1:8-21,112-125;eth2:8-21,112-125, expected"),
        (
            {f"{PLUGIN}GPUDIRECTTCPX_RX_BINDINGS": "eth1:0-7;eth2:208"},
            "RX_BINDINGS is eth1:0-7;eth2:208, expected CPUs of 0-207",
        ),
        ({f"{PLUGIN}GPUDIRECTTCPX_CTRL_DEV": "eth1"}, "CTRL_DEV is eth1, a data NIC"),
    ],
)
def test_what_keeps_a_plugin_from_running_is_named(changed: dict[str, str], reason: str) -> None:
    (told,) = reasons(**changed)
    assert reason in told
    assert reasons(plugin=False, **changed) == ()


def test_a_chunk_size_that_is_not_set_is_set_by_our_transport() -> None:
    assert reasons(lost="environment.NCCL_DYNAMIC_CHUNK_SIZE") == ()


def test_a_plugin_that_does_not_read_it_is_in_no_trap() -> None:
    trap = {"environment.NCCL_DYNAMIC_CHUNK_SIZE": "0"}
    assert reasons(plugin__reads_chunk_size="no", **trap) == ()


def test_a_plugin_that_cannot_be_read_is_named_with_why() -> None:
    (told,) = reasons(lost="plugin.sha256")
    assert told == (
        "plugin.path /lib/p.so cannot be read (No such file or directory): install the plugin there"
    )


@pytest.mark.parametrize("value", ["eth", "ens", "^lo,management"])
def test_how_the_data_nics_are_named_does_not_matter(value: str) -> None:
    assert reasons(**{IFNAME: value}) == ()


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("devmem.vendor", "no", "devmem.vendor is no, expected yes"),
        ("nic.eth2.header_split", "off", "nic.eth2.header_split is off, expected on"),
    ],
)
def test_the_vendors_tier_needs_device_memory(key: str, value: str, reason: str) -> None:
    (told,) = reasons("two-node-tcpx", plugin=False, **{key: value})
    assert told.startswith(reason)
    assert reasons("two-node", plugin=False, **{key: value}) == ()


def test_the_vendors_tier_does_not_rest_on_an_unknown() -> None:
    key = "nic.eth2.header_split"
    facts = {name: value for name, value in FIT.items() if name != key}
    node = NodeFacts(node="a", facts=facts, unknown={key: "Operation not supported"})
    (told,) = unfit(node, tier="two-node-tcpx", wants_plugin=False)
    assert told.startswith(f"{key} is unknown (Operation not supported), expected on: ")
    assert unfit(node, tier="two-node", wants_plugin=False) == ()
    (told,) = unfit(NodeFacts(node="a", facts=facts), tier="two-node-tcpx", wants_plugin=False)
    assert told.startswith(f"{key} is unknown (it was not asked)")


def test_a_nic_that_is_not_there_is_known_by_its_label() -> None:
    there = {"nic.eth1.name": "eth1", "nic.eth1.there": "yes", "nic.eth2.name": "eth9"}
    node = NodeFacts(node="a", facts={**there, "nic.eth2.there": "no"})
    assert absent_nics(node) == ("eth2",)
    assert absent_nics(NodeFacts(node="a", facts=there)) == ()
    vlan = {"nic.eth1.100.name": "eth1.100", "nic.eth1.100.there": "no"}
    assert absent_nics(NodeFacts(node="a", facts=vlan)) == ("eth1.100",)


def test_a_vlans_label_is_whole() -> None:
    facts = {key: value for key, value in FIT.items() if not key.startswith("nic.")}
    facts |= {"nic.eth1.100.name": "eth1.100", "nic.eth2.100.name": "eth2.100"}
    facts |= {IFNAME: "eth1.100", "plugin.interfaces": "eth1.100"}
    facts[BINDINGS] = ""
    (told,) = unfit(NodeFacts(node="a", facts=facts), tier="two-node", wants_plugin=True)
    assert "expected the data NICs eth1.100,eth2.100: correct it" in told
