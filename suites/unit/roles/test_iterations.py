"""Chunks of several iterations pass at once, and each iteration is handed over when it is whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from harness.plan import Plan
from harness.roles.iterations import Iteration, Iterations, Shares
from harness.tcpx.lane import Job

PLAN = Plan(channels=2, size_bytes=50, chunk_bytes=10, iterations=4)  # 5 chunks an iteration


@pytest.fixture
def done() -> list[Iteration]:
    return []


@pytest.fixture
def iterations(done: list[Iteration]) -> Iterations:
    return Iterations(PLAN, PLAN.chunks, done.append)


def test_a_tag_tells_a_chunk_from_the_next_iterations(iterations: Iterations) -> None:
    places = [(number, chunk) for number in range(4) for chunk in range(5)]
    tags = [iterations.tag(*place) for place in places]
    assert len(set(tags)) == len(places)
    assert [iterations.place(tag) for tag in tags] == places


def test_an_iteration_is_done_with_its_last_chunk(
    iterations: Iterations, done: list[Iteration]
) -> None:
    for chunk in (4, 0, 3, 1):
        iterations.note(0, chunk, 1)
    assert done == []
    iterations.note(0, 2, 1)
    (whole,) = done
    assert (whole.number, whole.chunks) == (0, {0, 1, 2, 3, 4})
    assert 0 < whole.started_s < whole.ended_s
    assert iterations.unfinished() == []


def test_iterations_overlap(iterations: Iterations, done: list[Iteration]) -> None:
    for number, chunk in ((1, 0), (0, 0), (0, 1), (1, 1), (0, 2), (0, 3), (1, 2), (0, 4)):
        iterations.note(number, chunk, 1)
    assert [each.number for each in done] == [0]
    (begun,) = iterations.unfinished()
    assert (begun.number, begun.chunks, begun.ended_s) == (1, {0, 1, 2}, 0.0)


def test_what_did_not_end_is_told_the_earliest_first(iterations: Iterations) -> None:
    for number in (3, 1, 2):
        iterations.note(number, 0, 1)
    assert [each.number for each in iterations.unfinished()] == [1, 2, 3]


def test_a_chunk_that_passes_twice_counts_once(
    iterations: Iterations, done: list[Iteration]
) -> None:
    for _ in range(5):
        iterations.note(0, 1, 1)
    assert done == []


def test_fewer_chunks_may_be_all_that_is_expected(done: list[Iteration]) -> None:
    short = Iterations(PLAN, 2, done.append)
    short.note(0, 0, 1)
    short.note(0, 1, 1)
    assert [each.chunks for each in done] == [{0, 1}]


def test_channels_note_their_chunks_side_by_side(done: list[Iteration]) -> None:
    plan = Plan(channels=4, size_bytes=70, chunk_bytes=10, iterations=200)
    iterations = Iterations(plan, plan.chunks, done.append)

    def channel(index: int) -> None:
        for number in range(plan.iterations):
            for chunk in range(index, plan.chunks, plan.channels):
                iterations.note(number, chunk, 1)

    with ThreadPoolExecutor(plan.channels) as pool:
        list(pool.map(channel, range(plan.channels)))
    assert [each.number for each in done] == list(range(plan.iterations))
    assert iterations.unfinished() == []


def test_jobs_go_round_once_an_iteration_with_a_tag_each(iterations: Iterations) -> None:
    places = [Job(chunk, 1, chunk * 10, 10, chunk) for chunk in (1, 3)]
    jobs = list(iterations.jobs(range(1, 3), places))
    assert [iterations.place(job.tag) for job in jobs] == [(1, 1), (1, 3), (2, 1), (2, 3)]
    assert [job.offset for job in jobs] == [10, 30, 10, 30]


@pytest.mark.parametrize(
    ("acknowledged", "one_by_one", "rounds"),
    [(False, False, 1), (True, False, 4), (False, True, 4)],
)
def test_iterations_overlap_unless_each_is_answered_or_must_be_alone(
    acknowledged: bool, one_by_one: bool, rounds: int
) -> None:
    iterations = Iterations(replace(PLAN, acknowledged=acknowledged), 5, print)
    found = iterations.rounds(one_by_one=one_by_one)
    assert len(found) == rounds
    assert [number for each in found for number in each] == [0, 1, 2, 3]


def test_an_iteration_is_whole_with_its_last_share() -> None:
    shares = Shares(3)
    first = Iteration(7, 5.0, 6.0, bytes=20, cpu_s=0.5, chunks={0, 2})
    assert shares.add(first) is None
    assert shares.unfinished() == [first]
    whole = shares.add(Iteration(7, 4.0, 5.5, bytes=10, cpu_s=0.25, chunks={1}))
    assert whole == Iteration(7, 4.0, 6.0, bytes=30, cpu_s=0.75, chunks={0, 1, 2})
    assert shares.unfinished() == []


def test_shares_of_several_iterations_are_kept_apart_the_earliest_first() -> None:
    shares = Shares(2)
    for number in (3, 1, 2):
        assert shares.add(Iteration(number, 1.0, chunks={0})) is None
    assert [each.number for each in shares.unfinished()] == [1, 2, 3]
