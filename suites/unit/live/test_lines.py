"""What a scene looks like in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import (
    Entry,
    ExchangeEnded,
    NicCounters,
    Progress,
    RoleExited,
    RoleStarted,
    TestFinished,
)
from harness.live import Scene, body
from harness.live.lines import head, short, size, title
from suites.unit.report.run import DAMAGED, MAPPED, run

RUN = run()
SECOND_S = RUN[0].wall_s + 50.0


def upto(kind: type, worker: str = "main") -> tuple[Scene, float]:
    """The run until just before the first record of this kind, and the time then."""
    at = next(i for i, e in enumerate(RUN) if isinstance(e.record, kind))
    scene = Scene()
    scene.take(replace(entry, worker=worker) for entry in RUN[:at])
    return scene, RUN[at - 1].wall_s


def also(scene: Scene, record: object, at_s: float) -> None:
    last: Entry = next(e for e in RUN if e.exchange == "main-1")
    scene.take([replace(last, record=record, wall_s=at_s)])


def test_who_runs_what_how_far_and_how_fast() -> None:
    scene, now_s = upto(RoleExited, worker="gw1")
    counts = [e.record for e in RUN if isinstance(e.record, NicCounters) and e.exchange == "main-1"]
    (idle,) = [c for c in counts if c.node == "alpha" and c.phase == "idle"][:1]
    moved = tuple(replace(nic, bytes_recv=nic.bytes_recv + 10**8) for nic in idle.nics)
    also(scene, replace(idle, phase="sample", at_s=idle.at_s + 0.5, nics=moved), now_s)
    also(scene, Progress(node="alpha", role="server", bytes=2**22, of_bytes=2**24), now_s)
    lines = body(scene, now_s)
    assert lines[0].startswith("gw1  test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4]  ")
    assert lines[1].startswith("  main-1  beta to alpha  moves data  25% of 16.0 MiB  ")
    assert lines[2].startswith("    alpha  eth1 0.")
    assert lines[2].endswith(" GB/s")
    assert "lo " not in lines[2]


def test_what_is_silent_is_named_with_its_time() -> None:
    scene, now_s = upto(RoleExited)
    also(scene, RoleStarted(node="beta", role="client", pid=1, command=()), now_s)
    assert not [line for line in body(scene, now_s + 1.0) if "client" in line]
    assert "    silent: client on beta, 4.0 s" in body(scene, now_s + 4.0)


def test_what_ended_is_shown_for_a_moment_with_its_verdict() -> None:
    scene, now_s = upto(TestFinished)
    assert any("  main-1  beta to alpha  PASS  0.017 GB/s" in line for line in body(scene, now_s))
    assert not any("main-1" in line for line in body(scene, now_s + 5.0))


def test_an_exchange_that_the_bench_broke_says_how() -> None:
    scene, now_s = upto(RoleExited)
    also(scene, ExchangeEnded(duration_s=1.0, klass="INFRA_SSH", problem="no answer"), now_s)
    assert "    no answer" in body(scene, now_s)


def test_the_head_counts_tests_by_outcome() -> None:
    scene = Scene()
    scene.take(RUN)
    assert head(scene, SECOND_S) == (
        "run run-1  testbed  5 of 5 tests  1 PASS, 1 SKIP, 1 INCONCLUSIVE, 1 FAIL, 1 ERROR  50 s"
    )


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (4096, "4.0 KiB"),
        (3 << 20, "3.0 MiB"),
        (1 << 30, "1,024.0 MiB"),
    ],
)
def test_sizes_can_be_read(size_bytes: int, words: str) -> None:
    assert size(size_bytes) == words


def test_titles_and_tests_are_short() -> None:
    scene, _ = upto(RoleExited)
    assert title(scene.acts["main-1"]) == "main-1: transfer, beta to alpha, 4 channels, 16.0 MiB"
    assert short(MAPPED) == "test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4]"
    assert short(DAMAGED).startswith("test_integrity.py::TestSizes::")
