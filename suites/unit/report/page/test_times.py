"""Iteration times by plan."""

from __future__ import annotations

from lxml import html

from harness.evidence import IterationDone
from harness.report.exchanges import Told, exchanges
from harness.report.page.times import ENOUGH, Times, all_times, histograms
from suites.unit.verdict.clean import added, clean, without


def told(many: int, exchange: str = "main-1", **plan: int) -> list[Told]:
    """The client's iterations took 1, 2, 3 ... milliseconds."""
    entries = without(clean(exchange, **plan), IterationDone, role="client")
    for n in range(many):
        done = IterationDone(
            node="beta", role="client", iteration=n, bytes=1, chunks=1, started_s=0.0,
            ended_s=(n + 1) / 1000,
        )  # fmt: skip
        entries = added(entries, done, 1.0)
    return exchanges(entries)


def test_times_of_different_plans_are_not_mixed() -> None:
    found = all_times([*told(3), *told(5, "main-2", channels=2), *told(2, "main-3")])
    assert [len(times.taken_s) for times in found] == [5, 5]
    assert {times.plan.split(", ")[1] for times in found} == {"2 channels", "4 channels"}


def test_shares_are_times_that_were_seen() -> None:
    times = Times(plan="", taken_s=tuple(float(n) for n in range(1, 101)))
    assert [times.at(share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 51.0, 96.0, 100.0]


def test_a_plan_with_enough_iterations_has_a_histogram_and_every_plan_a_row() -> None:
    made = html.fromstring(f"<div>{histograms([*told(ENOUGH), *told(2, 'b', channels=2)])}</div>")
    assert len(made.xpath("//figure")) == 1
    assert len(made.xpath("//tbody/tr")) == 2
    assert "median 5.00 ms" in made.xpath("//figcaption")[0].text


def test_equal_times_are_one_bar() -> None:
    same = [one for n in range(ENOUGH) for one in told(1, f"main-{n}")]
    assert len(html.fromstring(f"<div>{histograms(same)}</div>").find_class("bar")) == 1


def test_nothing_timed_is_said() -> None:
    assert "No iteration was timed" in histograms([])
    assert "No plan had" in histograms(told(2))
