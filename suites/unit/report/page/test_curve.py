"""The scaling curve."""

from __future__ import annotations

import pytest
from lxml import html

from harness.report.exchanges import Told, exchanges
from harness.report.page.curve import curve, points
from suites.unit.verdict.clean import added, clean
from suites.unit.verdict.test_integrity import damage

MIB = 1 << 20


def told(*counts: int, **plan: int) -> list[Told]:
    """Exchanges of so many channels each, of equal bytes a channel."""
    return [
        one
        for at, n in enumerate(counts)
        for one in exchanges(clean(f"main-{at}", channels=n, size_bytes=4 * n * MIB, **plan))
    ]


def test_each_count_is_a_point_and_its_fastest_exchange_counts() -> None:
    what, found = points(told(1, 2, 4, 4))
    assert [(p.channels, len(p.gb_s)) for p in found] == [(1, 1), (2, 1), (4, 2)]
    assert found[2].best == max(found[2].gb_s)
    assert what.startswith("transfer, host memory, 4 MiB a channel in chunks of 512 KiB")


def test_the_expected_line_grows_with_the_nics_and_not_beyond() -> None:
    _, found = points(told(1, 4, 8))
    line = [p.line_gb_s for p in found]
    assert line[1] == pytest.approx(4 * line[0])
    assert line[2] == line[1]


@pytest.mark.parametrize(
    "others",
    [told(4), told(2, chunk_bytes=1 * MIB), exchanges(added(clean(channels=2), damage(), 1.2))],
    ids=["one count", "another chunk", "red"],
)
def test_what_is_not_alike_or_not_green_makes_no_curve(others: list[Told]) -> None:
    assert points([*told(4), *others]) == ("", [])
    assert "there is no curve" in curve([*told(4), *others])


def test_the_picture_has_its_figures_as_a_table() -> None:
    made = html.fromstring(f"<div>{curve(told(1, 4))}</div>")
    assert len(made.find_class("seen-dot")) == 2
    assert [row.findtext("th") for row in made.xpath("//tbody/tr")] == ["1", "4"]
    assert " of 4" in made.xpath("//tbody/tr[2]/td[last()]")[0].text
