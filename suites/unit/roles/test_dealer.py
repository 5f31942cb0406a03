"""Whoever has room gets the next chunk, and each chunk is under way once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.errors import PeerGoneError
from harness.plan import Plan
from harness.roles.dealer import Dealer

PATIENCE_S = 5.0


def plan_of(chunks: int, iterations: int = 1, channels: int = 2) -> Plan:
    return Plan(
        size_bytes=chunks,
        chunk_bytes=1,
        iterations=iterations,
        channels=channels,
        distribution="least-loaded",
    )


class Granted:
    """Keeps what was granted."""

    def __init__(self) -> None:
        self.grants: list[tuple[int, int]] = []

    def __call__(self, channel: int, tag: int) -> None:
        self.grants.append((channel, tag))


def dealer_of(plan: Plan, patience_s: float = PATIENCE_S) -> tuple[Dealer, Granted]:
    granted = Granted()
    return Dealer(plan, granted, lambda: patience_s), granted


def test_chunks_are_dealt_in_order_to_whoever_asks_and_granted_so() -> None:
    dealer, granted = dealer_of(plan_of(4))
    draws = [dealer.draws(0), dealer.draws(1)]
    assert [next(draws[c]) for c in (0, 1, 1, 0)] == [0, 1, 2, 3]
    assert granted.grants == [(0, 0), (1, 1), (1, 2), (0, 3)]
    assert [dealer.carrier(tag) for tag in range(4)] == [0, 1, 1, 0]
    assert dealer.carrier(4) == dealer.carrier(-1) == -1
    assert list(draws[0]) == list(draws[1]) == []


def test_a_chunk_is_not_dealt_again_before_it_was_received() -> None:
    dealer, granted = dealer_of(plan_of(2, iterations=2))
    draws = dealer.draws(0)
    assert [next(draws) for _ in range(3)] == [0, 1, None]
    dealer.received(1)
    assert next(draws) is None, "the order is kept: chunk 0 comes first"
    dealer.received(0)
    assert [next(draws), next(draws)] == [2, 3]
    assert granted.grants == [(0, tag) for tag in range(4)]


def test_a_channel_with_nothing_under_way_waits_for_the_chunk_of_another() -> None:
    dealer, _ = dealer_of(plan_of(1, iterations=2))
    assert next(dealer.draws(0)) == 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, dealer.draws(1))
        time.sleep(0.05)
        assert not waiting.done()
        dealer.received(0)
        assert waiting.result(PATIENCE_S) == 1


def test_who_waits_is_told_when_all_is_dealt() -> None:
    dealer, _ = dealer_of(plan_of(1, iterations=2))
    first = dealer.draws(0)
    assert next(first) == 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, dealer.draws(1))
        dealer.received(0)
        drawn = [tag for tag in first if tag is not None]
        assert sorted([*drawn, *waiting.result(PATIENCE_S)]) == [1]


def test_nobody_waits_longer_than_the_deadline() -> None:
    dealer, _ = dealer_of(plan_of(1, iterations=2), patience_s=0.01)
    assert next(dealer.draws(0)) == 0
    assert next(dealer.draws(1)) is None


def test_a_faster_channel_draws_more_and_every_chunk_once() -> None:
    plan = plan_of(20, iterations=3, channels=3)
    dealer, granted = dealer_of(plan)

    def carry(channel: int) -> None:
        for tag in dealer.draws(channel):
            time.sleep(0.004 if channel == 1 else 0.001)
            if tag is not None:
                dealer.received(tag)

    threads = [threading.Thread(target=carry, args=(channel,)) for channel in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [tag for _, tag in granted.grants] == list(range(60))
    drawn = Counter(channel for channel, _ in granted.grants)
    assert 0 < drawn[1] < drawn[0]
    assert drawn[1] < drawn[2]


def test_a_client_that_takes_no_grants_fails_the_draw() -> None:
    def gone(channel: int, tag: int) -> None:
        raise PeerGoneError("gone")

    dealer = Dealer(plan_of(1), gone, lambda: PATIENCE_S)
    draw: Callable[[], object] = dealer.draws(0).__next__
    with pytest.raises(PeerGoneError):
        draw()
