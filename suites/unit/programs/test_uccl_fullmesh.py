"""The full-mesh script: only its logs tell, and only those of this exchange."""

from __future__ import annotations

import pytest

from harness.errors import PlanError
from harness.evidence import ChannelMapped
from harness.plan import MIB
from harness.programs.uccl_fullmesh import Fullmesh, channel
from suites.unit.programs.lines import figures, part, said, text

MESH = {"channels": 16, "size_bytes": 64 * MIB}
NICS = 4


def test_channels_of_all_gpus_are_numbered_by_their_nic() -> None:
    numbers = {(gpu, own): channel(gpu, own, 2) for gpu in range(8) for own in range(2)}
    assert sorted(numbers.values()) == list(range(16))
    assert all(number % NICS == gpu // 2 for (gpu, _), number in numbers.items())


def test_every_gpu_gets_its_part_and_its_own_log() -> None:
    (command,) = Fullmesh().commands(part("client", **MESH))
    environment = command.environment
    assert command.words == ("/opt/program", "client", "198.18.0.1")
    assert environment["UCCL_TCPX_NUM_CHANNELS"] == "2"
    assert environment["UCCL_TCPX_PERF_SIZE"] == str(8 * MIB)
    assert environment["LOG_DIR"] == "/tmp/exchange"
    assert "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME" not in environment


def test_it_is_ready_when_every_gpu_listens() -> None:
    assert Fullmesh().listens(part(**MESH).plan) == tuple(range(20000, 20008))


def test_a_gpus_log_is_its_own() -> None:
    reader = Fullmesh().reader(part(**MESH))
    name = "fullmesh_server_gpu3_20251021_120000.log"
    records = reader.file(name, text("perf_multi_new_server.log"))
    assert {s.process for s in said(records, "iteration_chunks")} == {3}
    assert figures(records, "success") == [1]
    (mapped,) = [r for r in records if isinstance(r, ChannelMapped)]
    assert mapped.channel == channel(3, 0, 2)


@pytest.mark.parametrize(
    "name",
    [
        "fullmesh_client_gpu3_20251021_120000.log",  # the other role's
        "bench_server_20251021_120000.log",
        "fullmesh_server_gpu3.log",
    ],
)
def test_other_files_are_not_read(name: str) -> None:
    assert Fullmesh().reader(part(**MESH)).file(name, text("perf_multi_new_server.log")) == []


def test_what_the_script_itself_says_is_no_evidence() -> None:
    assert Fullmesh().reader(part(**MESH)).heard("[PERF] Benchmark completed successfully", 0) == []


@pytest.mark.parametrize("wrong", [{"channels": 12}, {"size_bytes": 64 * MIB + 1}])
def test_a_plan_that_gpus_cannot_share_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(PlanError, match="as many for each of 8 GPUs"):
        Fullmesh().commands(part(**{**MESH, **wrong}))
