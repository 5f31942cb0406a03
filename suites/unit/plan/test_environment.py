"""The environment becomes a Plan, or an error that says which variable is wrong."""

from __future__ import annotations

import pytest

from harness.errors import PlanError
from harness.plan import Plan
from harness.plan.environment import from_environment, interfaces


def test_an_empty_environment_is_the_default_plan() -> None:
    assert from_environment({}) == Plan()


def test_every_variable_sets_its_field() -> None:
    environ = {
        "UCCL_TCPX_NUM_CHANNELS": "2",
        "UCCL_TCPX_PERF_SIZE": "1048577",
        "UCCL_TCPX_PERF_ITERS": "3",
        "UCCL_TCPX_CHUNK_BYTES": " 65536 ",
        "UCCL_TCPX_BOOTSTRAP_PORT_BASE": "12347",
        "NCCL_NSOCKS_PERTHREAD": "4",
        "PATH": "/bin",
    }
    assert from_environment(environ) == Plan(
        channels=2,
        size_bytes=1_048_577,
        iterations=3,
        chunk_bytes=65_536,
        port_base=12_347,
        sockets_per_channel=4,
    )


def test_an_override_wins() -> None:
    assert from_environment({"UCCL_TCPX_NUM_CHANNELS": "2"}, channels=8, gpu=1).channels == 8


def test_a_plugin_comes_with_its_transport_unless_an_override_says_otherwise() -> None:
    environ = {"UCCL_TCPX_PLUGIN_PATH": "/usr/lib/net.so"}
    plan = from_environment(environ)
    assert (plan.transport, plan.plugin) == ("nccl-net", "/usr/lib/net.so")
    assert from_environment(environ, transport="sockets").plugin == ""
    assert from_environment(environ, transport="nccl-net").plugin == "/usr/lib/net.so"
    other = from_environment(environ, transport="nccl-net", plugin="/opt/net.so")
    assert other.plugin == "/opt/net.so"


def test_an_empty_variable_is_not_set() -> None:
    assert from_environment({"UCCL_TCPX_NUM_CHANNELS": " "}) == Plan()


@pytest.mark.parametrize("text", ["four", "4.0", "-1", "64MB", "0x10", "²"])
def test_what_is_no_number_is_named(text: str) -> None:
    environ = {"UCCL_TCPX_NUM_CHANNELS": text, "UCCL_TCPX_PERF_ITERS": "many"}
    with pytest.raises(PlanError) as caught:
        from_environment(environ)
    assert f"UCCL_TCPX_NUM_CHANNELS is {text!r}, expected a whole number" in str(caught.value)
    assert "UCCL_TCPX_PERF_ITERS is 'many'" in str(caught.value)


def test_a_number_out_of_bounds_is_the_plans_to_refuse() -> None:
    with pytest.raises(PlanError, match=r"channels is 65, expected 1\.\.64"):
        from_environment({"UCCL_TCPX_NUM_CHANNELS": "65"})


NAME = "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"


def test_interfaces_keep_their_order() -> None:
    assert interfaces({NAME: "eth2, eth1"}) == ("eth2", "eth1")
    assert interfaces({NAME: "=enp6s0"}) == ("enp6s0",)


def test_four_interfaces_are_the_default() -> None:
    assert interfaces({}) == interfaces({NAME: ""}) == ("eth1", "eth2", "eth3", "eth4")


@pytest.mark.parametrize("text", ["^lo", "eth1,,eth2", "eth1,eth1", ",", "="])
def test_a_list_that_names_no_nics_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match=NAME):
        interfaces({NAME: text})
