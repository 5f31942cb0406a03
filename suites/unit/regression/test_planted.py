"""Changes that are planted in measured nights are found, in a budget of seconds.

`evaluate.py` does the same at length and makes the table of docs/regression.md.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.history import Series
from harness.regression import beside, changes, gate
from harness.regression.night import level, spread
from suites.unit.regression.planted import (
    DRIFTING,
    EDGE,
    KINDS,
    ORDERS,
    STEPS,
    WIDER,
    Planted,
    dealt,
    measured,
    places,
    shuffled,
)

SEED, TIMES = 4, 12
BUDGET_S = 20.0
TWO, FIVE, TEN = STEPS


@pytest.fixture(scope="module", autouse=True)
def budget() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < BUDGET_S


def nights(kind: str, subject: str) -> Series:
    return next(one for one in measured(kind) if one.key.subject == subject)


def found(
    kind: str, subject: str, planted: Planted, *, siblings: bool, order: str = "as measured"
) -> float:
    """The share of planted changes that are named, and dated where that is asked."""
    hits = []
    for number, at in enumerate(places(planted, 60, TIMES, SEED)):
        every = ORDERS[order](measured(kind), SEED + number)
        made = [planted.into(one, at) if one.key.subject == subject else one for one in every]
        seen = [*made, *beside(made)] if siblings else made
        own = [one for one in seen if one.key.subject == subject]
        hits.append(any(planted.found(change, at) for one in own for change in changes(one)))
    return sum(hits) / len(hits)


@pytest.mark.parametrize("kind", KINDS)
def test_sixty_nights_of_48_exchanges_were_measured(kind: str) -> None:
    every = measured(kind)
    assert [one.key.subject for one in every] == ["4 channels", "eth1", "eth2", "eth3", "eth4"]
    for one in every:
        assert len(one.nights) == 60
        assert all(len(night.samples) + night.excluded == 48 for night in one.nights)


def test_a_step_is_planted_from_its_night_on_and_nowhere_else() -> None:
    before = nights("shaped", "eth1")
    after = TEN.into(before, 30)
    ratios = [
        level(b, before) / level(a, before)
        for a, b in zip(before.nights, after.nights, strict=True)
    ]
    assert np.allclose(ratios, [1.0] * 30 + [0.9] * 30)


def test_a_drift_ends_where_it_should() -> None:
    before = nights("shaped", "eth1")
    after = DRIFTING.into(before, 10)
    assert len(after.nights) == 40
    ratios = [
        level(b, before) / level(a, before)
        for a, b in zip(before.nights[:40], after.nights, strict=True)
    ]
    assert ratios[9] == 1.0
    assert ratios[10] == pytest.approx(0.997)
    assert np.allclose(ratios[29:], 0.94)


def test_twice_the_variance_has_the_same_middle() -> None:
    before = nights("shaped", "eth1")
    after = WIDER.into(before, 20)
    middles = [np.median(one.nights[25].samples) for one in (before, after)]
    assert middles[0] == pytest.approx(middles[1])
    ratio = spread(after.nights[25], before) / spread(before.nights[25], before)
    assert ratio == pytest.approx(2**0.5)


@pytest.mark.parametrize("planted", [*STEPS, DRIFTING, WIDER], ids=lambda one: one.name)
def test_places_leave_nights_on_both_sides(planted: Planted) -> None:
    found_places = places(planted, 60, 200, SEED)
    assert min(found_places) == EDGE
    assert max(found_places) == 60 - max(planted.seen_for, EDGE)


def test_shuffled_nights_are_the_same_nights() -> None:
    every = measured("shaped")
    mixed = shuffled(every, SEED)
    assert [n.at_s for n in mixed[0].nights] == [n.at_s for n in every[0].nights]
    for one, other in zip(every, mixed, strict=True):
        assert sorted(n.samples for n in one.nights) == sorted(n.samples for n in other.nights)
    assert mixed[0].nights[0].samples != every[0].nights[0].samples


def exchanges(every: Sequence[Series]) -> list[tuple[float, ...]]:
    """Each with its figures of all series, night after night."""
    columns = [[value for night in one.nights for value in night.samples] for one in every]
    return list(zip(*columns, strict=True))


def test_dealt_nights_have_every_exchange_once_and_whole() -> None:
    every = measured("unshaped")
    made = dealt(every, SEED)
    assert [len(n.samples) for n in made[2].nights] == [len(n.samples) for n in every[2].nights]
    assert exchanges(made) != exchanges(every)
    assert sorted(exchanges(made)) == sorted(exchanges(every))


@pytest.mark.parametrize(
    ("kind", "subject", "planted", "siblings"),
    [
        ("shaped", "4 channels", FIVE, False),
        ("shaped", "eth2", FIVE, True),
        ("shaped", "eth3", TEN, True),
        ("shaped", "eth2", DRIFTING, True),
        ("unshaped", "eth2", TEN, True),
    ],
    ids=lambda one: getattr(one, "name", str(one)),
)
def test_what_is_planted_is_named_and_dated(
    kind: str, subject: str, planted: Planted, siblings: bool
) -> None:
    assert found(kind, subject, planted, siblings=siblings) > 0.9


@pytest.mark.parametrize("planted", [TEN, DRIFTING, WIDER], ids=lambda one: one.name)
@pytest.mark.parametrize("kind", KINDS)
def test_where_only_exchanges_differ_it_is_named_in_what_all_nics_have_in_common(
    kind: str, planted: Planted
) -> None:
    assert found(kind, "4 channels", planted, siblings=False, order="dealt") > 0.9


def test_what_cannot_be_seen_is_not_claimed_to_be() -> None:
    assert found("unshaped", "eth2", TWO, siblings=False, order="shuffled") < 0.2


@pytest.mark.parametrize("order", ["shuffled", "dealt"])
@pytest.mark.parametrize("kind", KINDS)
def test_nights_in_which_nothing_was_planted_have_hardly_a_change_point(
    kind: str, order: str
) -> None:
    mixed = [ORDERS[order](measured(kind), seed) for seed in range(TIMES)]
    series = [one for nights in mixed for one in (*nights, *beside(nights))]
    assert len(series) == 9 * TIMES
    assert sum(bool(changes(one)) for one in series) <= 3


def test_a_quiet_line_as_it_was_measured_has_none() -> None:
    every = measured("shaped")
    assert [changes(one) for one in (*every, *beside(every))] == [()] * 9


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_raises_hardly_an_alarm_where_nothing_was_planted(kind: str) -> None:
    every = dealt(measured(kind), SEED)
    named: Counter[str] = Counter()
    for night in range(30, 60):
        tonight = [replace(one, nights=(one.nights[night],)) for one in every]
        past = [replace(one, nights=one.nights[:night]) for one in every]
        named.update(one.klass for one in gate(tonight, past))
    assert named.total() == 30 * 9
    assert named["REGRESSION"] <= 2
