"""Events of two nodes on one clock, and what of them has no known order."""

from __future__ import annotations

import pytest

from harness.evidence import ClockMeasured, RoleExited, RoleFailed
from harness.report.exchanges import Told, exchanges
from harness.report.page.events import Event, clocks, events, groups
from suites.unit.verdict.clean import added, changed, clean
from suites.unit.verdict.test_integrity import damage


def told(entries: list) -> Told:
    (one,) = exchanges(entries)
    return one


def at(at_s: float, node: str, bound_s: float = 0.001) -> Event:
    return Event(at_s=at_s, node=node, what=f"{node} {at_s}", bound_s=bound_s)


def test_events_of_both_nodes_are_in_the_order_of_one_clock() -> None:
    found = events(told(clean()))
    assert [e.at_s for e in found] == sorted(e.at_s for e in found)
    assert {e.node for e in found} == {"controller", "alpha", "beta"}
    assert all(0 <= e.at_s <= 2.0 for e in found)  # though the nodes' clocks are days ahead


def test_a_nodes_own_time_has_its_clocks_bound_and_others_are_heard() -> None:
    entries = changed(clean(), ClockMeasured, bound_s=0.002)
    by_kind = {e.what.split()[0]: e for e in events(told(entries))}
    assert (by_kind["channel"].bound_s, by_kind["channel"].heard) == (0.002, False)
    assert (by_kind["ready"].bound_s, by_kind["ready"].heard) == (0.0, True)
    assert {c.node for c in clocks(told(entries).seen)} == {"alpha", "beta"}


def test_without_a_measured_clock_everything_was_heard() -> None:
    entries = [e for e in clean() if not isinstance(e.record, ClockMeasured)]
    assert all(e.heard for e in events(told(entries)) if e.node != "controller")


@pytest.mark.parametrize(
    ("apart_s", "expected"), [(0.0019, 1), (0.0021, 2)], ids=["within", "beyond"]
)
def test_closer_than_their_bounds_together_two_nodes_events_are_unordered(
    apart_s: float, expected: int
) -> None:
    assert len(groups([at(1.0, "a"), at(1.0 + apart_s, "b")])) == expected


def test_events_of_one_node_are_always_in_order() -> None:
    assert len(groups([at(1.0, "a"), at(1.0, "a")])) == 2
    assert [len(g) for g in groups([at(1.0, "a"), at(1.0005, "a"), at(1.001, "b")])] == [1, 2]


def test_what_went_wrong_is_marked_and_so_is_what_the_verdict_rests_on() -> None:
    bad = [e.what for e in events(told(added(clean(), damage(), 1.2))) if e.bad]
    assert any("found in channel" in what for what in bad)
    assert any(what.startswith("what the verdict rests on: BITFLIP") for what in bad)
    assert not [e for e in events(told(clean())) if e.bad]


def test_a_role_that_failed_or_was_stopped_is_marked() -> None:
    failed = RoleFailed(node="beta", role="client", klass="REMOTE_PROTOCOL", message="reset")
    entries = changed(added(clean(), failed, 1.0), RoleExited, where={"role": "client"}, code=1)
    bad = [e.what for e in events(told(entries)) if e.bad]
    assert "failed: REMOTE_PROTOCOL reset" in bad
    assert "exited with 1" in bad


def test_many_iterations_and_damages_are_counted_in_words() -> None:
    entries = clean(iterations=9)
    for _ in range(20):
        entries = added(entries, damage(), 1.2)
    said = [e.what for e in events(told(entries))]
    assert any("12 damaged chunks more" in what for what in said)
