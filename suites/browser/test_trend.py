"""The trend page in the same browser, by the same rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.report.trend import trend
from suites.browser.conftest import Open
from suites.browser.test_page import SCHEMES, findings, overflow
from suites.unit.history.nights import bed, kept, many
from suites.unit.report.trend.pasts import Moved, of

OPENS_MS = 1_000.0


def whole() -> str:
    """Every part has something to say: changes, flakes, a missed canary, another kernel."""
    runs = [
        kept(
            n,
            fingerprint=bed(kernel="6.18.0" if n < 9 else "6.19.0"),
            revision={"revision": "a", "kernel": "6.18.0" if n < 9 else "6.19.0"},
            tests={"suites/hardware/test_scaling.py::test_a": "FAIL" if n % 5 == 3 else "PASS"},
            canaries={"suites/faults/test_planted.py::test_planted_fault_is_named[flip]": n != 4},
            excluded={"FOREIGN_LOAD": 1} if n == 7 else {},
            outcome="FAIL" if n % 5 == 3 else "PASS",
        )
        for n in range(16)
    ]
    kinds = ("step", "drift", "spread")
    changes = [Moved(night=3 + 4 * at, kind=kind) for at, kind in enumerate(kinds)]
    better = replace(changes[0], night=13, relative=0.04)
    return trend(of(*runs, changes=lambda _: (*changes, better)))


@pytest.fixture(scope="module")
def page() -> str:
    return whole()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_serious_is_found(visit: Open, page: str, scheme: str) -> None:
    assert findings(visit(text=page, scheme=scheme)) == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_is_no_wider_than_its_window(visit: Open, page: str, width: int) -> None:
    assert overflow(visit(text=page, width=width)) == 0


@pytest.mark.parametrize("scripts", [True, False])
def test_what_changed_and_its_picture_are_seen(visit: Open, page: str, scripts: bool) -> None:
    shown = visit(text=page, scripts=scripts)
    first = shown.locator("#changes li").first
    assert "better" in first.inner_text()
    assert shown.locator("#series svg path.limit").count() == 4
    shown.locator("#series summary").first.click()
    assert shown.locator("#series td", has_text="GB/s").first.is_visible()


def test_a_thousand_nights_of_fifty_series_open_at_once(visit: Open) -> None:
    """The best of three, as other work may be in the way."""
    page = trend(of(*many(1000, 50)))
    timing = "performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"
    assert min(visit(text=page).evaluate(timing) for _ in range(3)) < OPENS_MS
