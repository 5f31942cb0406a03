"""Rows: the spread over the rounds, errors in words, and fractions only where there is a line."""

from __future__ import annotations

import json

import pytest

from harness.bench.figures import Figure, Spread
from harness.bench.rounds import Taken
from harness.bench.rows import rows
from suites.unit.bench.turns import turns


def test_a_row_has_the_spread_of_its_rounds() -> None:
    (row,) = rows("c", turns("a", 4, 1.0, 3.0, 2.0), lambda channels: channels / 1.0)
    assert row.gb_s == Spread(1.0, 2.0, 3.0)
    assert row.fraction_of_line == pytest.approx(0.5)
    assert row.rounds == 3


def test_a_failed_round_is_no_zero() -> None:
    (row,) = rows("c", turns("a", 4, 0.0, 3.0))
    assert (row.gb_s, row.rounds, row.error) == (Spread(3.0, 3.0, 3.0), 1, "PEER: it crashed")


def test_a_peer_that_never_worked_has_no_number() -> None:
    body = rows("c", turns("a", 4, 0.0, 0.0), lambda channels: 1.0)[0].to_json()
    numbers = (body["gb_s"], body["fraction_of_line"], body["cpu_s_per_gb"])
    assert (numbers, body["error"]) == ((None, None, None), "PEER: it crashed")
    json.dumps(body)


def test_unknown_cpu_leaves_the_rate() -> None:
    unknown = Figure(size_bytes=10**9, elapsed_s=1.0, cpu_s=None, all_cpu_s=0.1)
    (row,) = rows("c", [Taken(peer="a", channels=4, round=0, figure=unknown)])
    assert (row.gb_s, row.cpu_s_per_gb) == (Spread(1.0, 1.0, 1.0), None)


def test_rows_are_by_peer_then_channels() -> None:
    taken = [*turns("b", 4, 1.0), *turns("a", 1, 1.0), *turns("b", 1, 1.0)]
    assert [(row.peer, row.channels) for row in rows("c", taken)] == [("b", 1), ("b", 4), ("a", 1)]
