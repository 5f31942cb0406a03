"""Messages: how many of which size, and how long one takes."""

from __future__ import annotations

import pytest

from harness.bench.messages import SIZES, latencies_us, many, percentile
from suites.unit.bench.turns import exchange


@pytest.mark.parametrize("chunk_bytes", SIZES)
def test_every_size_is_sent_as_often_as_said(chunk_bytes: int) -> None:
    plan = many(chunk_bytes)
    assert plan.chunks * plan.iterations == SIZES[chunk_bytes]
    assert plan.chunk_bytes == chunk_bytes


def test_times_are_the_clients_without_the_first() -> None:
    assert latencies_us(exchange(iterations=3)) == pytest.approx([1e6, 1e6])


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.99, 100), (0.0, 1), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_seen(share: float, value: int) -> None:
    assert percentile(range(1, 101), share) == value


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 0.5) is None
