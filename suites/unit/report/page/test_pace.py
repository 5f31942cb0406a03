"""Rates of NICs from their counters."""

from __future__ import annotations

import pytest

from harness.evidence import Entry, NicCount, NicCounters
from harness.report.page.pace import Interval, binned, intervals, stepped
from suites.unit.report.page.test_events import told
from suites.unit.verdict.clean import BEGAN_S, WALL_S, clean, without


def count(name: str, sent: int = 0, received: int = 0) -> NicCount:
    return NicCount(name=name, bytes_sent=sent, bytes_recv=received, packets_sent=0, packets_recv=0)


def observed(*samples: tuple[float, list[NicCount]]) -> dict:
    """Alpha's intervals of these samples; its clock runs a day ahead."""
    entries = without(clean(), NicCounters)

    for at_s, nics in samples:
        record = NicCounters(
            node="alpha", phase="sample", at_s=BEGAN_S + at_s + 86_400.0, nics=tuple(nics)
        )
        entries.append(
            Entry(
                run="run-1", worker="main", seq=999, at_s=BEGAN_S + at_s + 0.01,
                wall_s=WALL_S + at_s, exchange="main-1", record=record,
            )
        )  # fmt: skip
    return intervals([told(entries)], {"main-1": 100.0})


def interval(start_s: float, end_s: float, size: int) -> Interval:
    return Interval(start_s=start_s, end_s=end_s, sent_bytes=size, received_bytes=0)


def test_between_two_samples_a_nic_has_one_rate_on_the_runs_clock() -> None:
    found = observed((0.5, [count("eth1", 10, 20)]), (0.75, [count("eth1", 15, 40)]))
    (one,) = found["alpha", "eth1"]
    assert (one.start_s, one.end_s) == pytest.approx((100.5, 100.75))
    assert (one.sent_bytes, one.received_bytes, one.bytes) == (5, 20, 25)


def test_a_nic_that_a_sample_leaves_out_stood_still() -> None:
    found = observed(
        (0.1, [count("eth1", 0), count("lo")]),
        (0.2, [count("lo")]),
        (0.3, [count("eth1", 500), count("lo")]),
    )
    assert [one.bytes for one in found["alpha", "eth1"]] == [0, 500]
    assert found["alpha", "eth1"][1].start_s == pytest.approx(100.2)


def test_a_counter_that_went_back_says_nothing() -> None:
    found = observed((0.1, [count("eth1", 90)]), (0.2, [count("eth1", 5)]))
    assert found.get(("alpha", "eth1"), []) == []


def test_bins_lose_no_byte_and_leave_gaps_where_nobody_looked() -> None:
    found = [interval(0.0, 1.0, 1000), interval(8.0, 9.5, 3000)]
    steps = binned(found, 0.0, 10.0, 20)
    assert [round(start, 6) for start, _, _ in steps] == [0.0, 0.5, 8.0, 8.5, 9.0]
    total = sum((end - start) * gb_s * 1e9 for start, end, gb_s in steps)
    assert total == pytest.approx(4000)


def test_few_samples_are_shown_as_they_are_and_many_in_bins() -> None:
    found = [interval(n / 10, (n + 1) / 10, 100 + n) for n in range(10)]
    assert len(stepped(found, 0.0, 1.0, 10)) == 10
    assert len(stepped(found, 0.0, 1.0, 4)) == 4


def test_rest_is_one_step() -> None:
    found = [interval(n / 10, (n + 1) / 10, 0) for n in range(10)]
    assert stepped(found, 0.0, 1.0, 10) == [(0.0, 1.0, 0.0)]


def test_no_time_no_bins() -> None:
    assert binned([interval(0, 1, 1)], 0.0, 0.0, 5) == []
