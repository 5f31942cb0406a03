"""An exchange's phase, progress and silence, from its records as they come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import (
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    Judged,
    LeaseTaken,
    NicCounters,
    Progress,
    RoleExited,
    RoleReady,
    RoleStarted,
)
from harness.live.act import Act
from harness.verdict import judge
from suites.unit.verdict.clean import WALL_S, clean

CLEAN = clean(iterations=2)


def act_of(entries: list[Entry]) -> Act:
    first, *rest = entries
    assert isinstance(first.record, ExchangePlanned)
    act = Act(first.exchange, first.worker, first.record, first.wall_s)
    for entry in rest:
        act.take(entry)
    return act


def at(at_s: float, record: object) -> Entry:
    return replace(CLEAN[0], wall_s=WALL_S + at_s, record=record)


def progress(role: str, size: int) -> Progress:
    node = {"server": "alpha", "client": "beta"}[role]
    return Progress(node=node, role=role, bytes=size, of_bytes=100)


def test_the_phases_of_an_exchange() -> None:
    act, phases = act_of(CLEAN[:1]), []
    leases = [at(0.0, LeaseTaken(node=n, waited_s=0.0)) for n in ("alpha", "beta")]
    moving = [at(0.6, progress("server", 10))]
    rest = [e for e in CLEAN[1:] if not isinstance(e.record, LeaseTaken)]
    began = next(i for i, e in enumerate(rest) if isinstance(e.record, RoleExited))
    verdicts = [at(2.1, one) for one in judge(CLEAN)]
    for entry in [*leases, *rest[:began], *moving, *rest[began:], *verdicts]:
        act.take(entry)
        phases.append(act.phase)
    assert list(dict.fromkeys(phases)) == [
        "waits for beta",
        "starts",
        "connects",
        "moves data",
        "ends",
        "ended",
        "PASS",
    ]
    assert act_of(CLEAN[:1]).phase == "waits for alpha"


def test_the_receivers_account_of_progress_counts() -> None:
    act = act_of(CLEAN[:1])
    act.take(at(0.1, progress("client", 50)))
    assert (act.bytes, act.of_bytes) == (50, 100)
    ready = next(e for e in CLEAN if isinstance(e.record, RoleReady) and e.record.role == "server")
    act.take(ready)
    act.take(at(0.2, progress("server", 40)))
    act.take(at(0.3, progress("client", 60)))
    assert act.bytes == 40


def test_speed_is_that_of_the_reports() -> None:
    assert act_of(CLEAN).gb_s == pytest.approx(2 * 16 * 2**20 / 1e9)
    assert act_of(CLEAN[:1]).gb_s == 0.0


def role_started(role: str, node: str) -> RoleStarted:
    return RoleStarted(node=node, role=role, pid=1, command=())


def test_a_role_that_stops_speaking_is_silent_and_the_other_is_not() -> None:
    act = act_of(CLEAN[:1])
    act.take(at(0.0, role_started("server", "alpha")))
    act.take(at(0.0, role_started("client", "beta")))
    for tick in range(12):
        act.take(at(tick / 4, progress("server", tick)))
    assert act.silent(WALL_S + 1.0) == {}
    silent = act.silent(WALL_S + 3.0)
    assert silent == {"client on beta": pytest.approx(3.0)}


def test_an_observer_that_stops_sampling_is_silent() -> None:
    act = act_of(CLEAN[:1])
    act.take(at(0.0, NicCounters(node="alpha", phase="sample", at_s=1.0, nics=())))
    assert list(act.silent(WALL_S + 2.0)) == ["observer on alpha"]
    act.take(at(2.0, NicCounters(node="alpha", phase="settled", at_s=3.0, nics=())))
    assert act.silent(WALL_S + 9.0) == {}


def test_who_has_exited_is_not_silent_and_nobody_is_after_the_end() -> None:
    act = act_of(CLEAN[:1])
    for role, node in (("server", "alpha"), ("client", "beta")):
        act.take(at(0.0, role_started(role, node)))
    act.take(at(0.1, RoleExited(node="beta", role="client", code=0, reason="exited")))
    assert list(act.silent(WALL_S + 5.0)) == ["server on alpha"]
    act.take(at(5.0, ExchangeEnded(duration_s=5.0)))
    assert act.silent(WALL_S + 9.0) == {}


def test_a_verdict_is_told_once_every_claim_has_its_own() -> None:
    act, verdicts = act_of(CLEAN), judge(CLEAN)
    for one in verdicts[:-1]:
        act.take(at(2.1, one))
    assert act.outcome is None
    act.take(at(2.1, replace(verdicts[-1], outcome="FAIL")))
    assert act.phase == "FAIL"
    assert isinstance(verdicts[-1], Judged)
