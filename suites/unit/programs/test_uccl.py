"""What UCCL's programs are given: the plan, over the node's environment where it says something."""

from __future__ import annotations

import pytest

from harness.plan import MIB
from harness.programs import named
from suites.unit.programs.lines import part

GPU = {
    "test_tcpx_perf_multi": "0",
    "test_tcpx_perf": "0",
    "test_tcpx_api": "0",
    "bench_p2p.sh": "0",
}


@pytest.mark.parametrize("name", GPU)
def test_roles_and_gpus_are_named_as_the_programs_want_them(name: str) -> None:
    (server,) = named(name).commands(part("server", gpu=3, channels=1))
    (client,) = named(name).commands(part("client", gpu=3, channels=1))
    assert server.words[:3] == ("/opt/program", "server", "3")
    assert client.words[:4] == ("/opt/program", "client", "198.18.0.1", "3")


@pytest.mark.parametrize("name", ["test_modules", "test_tcpx_transfer"])
def test_some_know_no_gpu(name: str) -> None:
    (client,) = named(name).commands(part("client"))
    assert client.words == ("/opt/program", "client", "198.18.0.1")


def test_the_plan_goes_into_the_environment() -> None:
    (command,) = named("test_tcpx_perf_multi").commands(part(channels=8, iterations=5))
    environment = command.environment
    assert environment["UCCL_TCPX_NUM_CHANNELS"] == "8"
    assert environment["UCCL_TCPX_PERF_SIZE"] == str(64 * MIB)
    assert environment["UCCL_TCPX_PERF_ITERS"] == "5"
    assert environment["NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"] == "eth1,eth2,eth3,eth4"


def test_without_a_chunk_size_of_its_own_the_plugin_would_hang() -> None:
    (command,) = named("test_tcpx_perf_multi").commands(part())
    assert command.defaults["NCCL_DYNAMIC_CHUNK_SIZE"] == "524288"
    assert command.defaults["NCCL_GPUDIRECTTCPX_CTRL_DEV"] == "eth0"  # never a data NIC


def test_the_script_that_sets_its_own_environment_gets_options() -> None:
    (command,) = named("bench_p2p.sh").commands(part(channels=1, iterations=7))
    assert "--iters=7" in command.words
    assert "--size=67108864" in command.words
    assert command.folder == "/opt"  # its binary is named from there


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("test_tcpx_perf_multi", 20002),
        ("test_tcpx_api", 20002),
        ("test_tcpx_perf", 12347),
        ("bench_p2p.sh", 12347),
        ("test_modules", 12347),
        ("test_tcpx_transfer", 12345),
    ],
)
def test_where_each_listens(name: str, port: int) -> None:
    assert named(name).listens(part(gpu=2, channels=1).plan) == (port,)
