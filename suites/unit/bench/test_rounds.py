"""Turns: rotation, failures that stay in their place, and claims held against the NICs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.bench.bed import Bed
from harness.bench.case import Case
from harness.bench.figures import Figure, Load
from harness.bench.rounds import Rounds, checked, line, rotated
from harness.errors import PeerError
from suites.unit.bench.turns import figure


class Fake:
    """A peer of which the rate is known, or that crashes."""

    install = ""

    def __init__(self, name: str, error: str = "") -> None:
        self.name, self._error = name, error

    def find(self) -> str:
        return "1"

    def run(self, bed: Bed, load: Load) -> Figure:
        if self._error:
            raise PeerError(self._error)
        return figure(load.channels)


class StillBed:
    """No wires: NICs that carry enough whenever one looks."""

    case = Case(1.0, 9000)

    def __init__(self) -> None:
        self.swept, self._carried = 0, 0

    def received(self) -> dict[str, int]:
        self._carried += 2 * 10**9
        return {"eth1": self._carried, "eth2": self._carried}

    def nics(self, channels: int) -> tuple[str, ...]:
        return ("eth1", "eth2")[:channels]

    def await_idle(self) -> bool:
        return True

    def sweep(self) -> None:
        self.swept += 1


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A machine that is at rest unless a test says otherwise."""
    state = SimpleNamespace(busy_s=0.0, step_s=0.0)

    def others_s() -> float:
        state.busy_s += state.step_s
        return state.busy_s

    monkeypatch.setattr("harness.bench.machine.others_s", others_s)
    return state


def taken(*peers: Fake, rounds: int = 2, **more: Any) -> Any:
    turns = Rounds(
        peers=peers, channels=[1, 2], rounds=rounds, seconds=1.0, show=lambda _: None, **more
    )
    return turns.take(cast(Bed, StillBed()))


def test_every_peer_has_a_turn_in_every_round() -> None:
    found = {(t.peer, t.channels, t.round) for t in taken(Fake("a"), Fake("b"))}
    assert found == {(p, c, r) for p in "ab" for c in (1, 2) for r in (0, 1)}


def test_a_round_begins_with_another_peer_than_the_last() -> None:
    turns = [(Fake(name), 1) for name in "abc"]
    first = [next(iter(rotated(turns, number)))[0].name for number in range(3)]
    assert first == ["a", "b", "c"]
    assert list(rotated([], 3)) == []


def test_a_peer_that_crashes_is_named_and_others_go_on() -> None:
    found = taken(Fake("bad", "it ended with -11"), Fake("good"), rounds=1)
    errors = {t.peer: t.error for t in found}
    assert errors == {"bad": "PEER: it ended with -11", "good": ""}
    assert all((t.figure is None) == bool(t.error) for t in found)


def test_what_a_failed_peer_started_is_ended() -> None:
    bed = StillBed()
    turns = Rounds(
        peers=[Fake("bad", "x")], channels=[1], rounds=1, seconds=1.0, show=lambda _: None
    )
    turns.take(cast(Bed, bed))
    assert bed.swept == 1


def test_a_disturbed_figure_is_taken_again_and_then_marked(idle: SimpleNamespace) -> None:
    idle.step_s = 5.0
    (found, _) = taken(Fake("a"), rounds=1, again=2)
    assert found.figure.disturbed
    assert idle.busy_s == 2 * 2 * 3 * 5.0  # two turns of three attempts, read before and after


def test_a_claim_beyond_what_the_nics_carried_is_refused() -> None:
    with pytest.raises(PeerError, match="at most the 999,999,999"):
        checked(figure(1.0), [999_999_999])


def test_a_nic_that_carried_next_to_nothing_is_not_counted_as_used() -> None:
    assert checked(figure(1.0), [10**9, 10**9, 1000, 0]).nics_used == 2


def test_a_line_says_who_and_how_fast_or_why_not() -> None:
    good, bad = taken(Fake("good"), Fake("bad", "boom"), rounds=1)[1:3]
    assert "2 ch  good" in line("c", good)
    assert "2.000 GB/s" in line("c", good)
    assert "ERROR PEER: boom" in line("c", bad)
