"""nccl-tests: the table of a collective between two nodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.plan import MIB
from harness.programs.nccl_tests import NcclTest
from suites.unit.programs.lines import figures, part, read

PLANNED = {"size_bytes": 16 * MIB, "iterations": 20}


def test_the_client_starts_both_ranks_and_the_server_attends() -> None:
    program = NcclTest("all_reduce_perf")
    assert program.commands(part("server")) == ()
    (command,) = program.commands(part("client", arguments=("-d", "half")))
    line = " ".join(command.words)
    assert line.startswith("mpirun -np 2 --host localhost:1,198.18.0.1:1 ")
    assert "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME=eth1,eth2,eth3,eth4" in line
    assert line.endswith("-c 1 -d half")


def test_rank_1_gets_the_transports_variables_of_the_client_too() -> None:
    """mpirun hands on none by itself; what the plan decides is not the node's."""
    node = {
        "LD_LIBRARY_PATH": "/opt/tcpx/lib64",
        "NCCL_NET": "GPUDirectTCPX_v7",
        "NCCL_SOCKET_IFNAME": "eth9",
    }
    client = replace(part("client"), environment=node)
    (command,) = NcclTest("all_reduce_perf").commands(client)
    exported = [command.words[i + 1] for i, word in enumerate(command.words) if word == "-x"]
    assert exported[-2:] == ["LD_LIBRARY_PATH", "NCCL_NET"]
    named = [word.partition("=")[0] for word in exported]
    assert len(named) == len(set(named))
    assert "NCCL_SOCKET_IFNAME=eth0" in exported


def test_times_are_microseconds_and_rates_1e9_bytes() -> None:
    reader = NcclTest("all_reduce_perf").reader(part("client", **PLANNED))
    records = read(reader, "all_reduce.log")
    assert figures(records, "total_bytes") == [2 * 20 * 16 * MIB]
    assert figures(records, "total_s") == [pytest.approx(20 * 0.003)]
    assert figures(records, "rate_gb_s") == [pytest.approx(2 * 16 * MIB / 0.003 / 1e9, rel=0.01)]
    assert figures(records, "wrong_values") == [0]


def test_wrong_values_are_told_although_an_average_follows() -> None:
    reader = NcclTest("all_reduce_perf").reader(part("client", **PLANNED))
    assert figures(read(reader, "all_reduce_wrong.log"), "wrong_values") == [5, 5]


def test_a_count_of_0_that_failed_is_not_0() -> None:
    reader = NcclTest("sendrecv_perf").reader(part("client"))
    (wrong,) = reader.heard("# Out of bounds values : 0 FAILED", 0)
    assert wrong.value == 1


@pytest.mark.parametrize(
    ("name", "share"), [("all_reduce_perf", 1), ("all_gather_perf", 0.5), ("sendrecv_perf", 1)]
)
def test_what_a_rank_must_send(name: str, share: float) -> None:
    due = NcclTest(name).due(part(**PLANNED).plan, "client")
    assert due.bytes == share * 16 * MIB * 20 * 2
    assert due.processes == (0,)
    assert NcclTest(name).due(part(**PLANNED).plan, "server").processes == ()


def test_a_failure_of_nccl_is_an_error() -> None:
    reader = NcclTest("all_reduce_perf").reader(part("client"))
    (error,) = reader.heard("node-b: Test NCCL failure common.cu:958 'unhandled system error'", 0)
    assert error.what == "error"
