"""Strips of GB/s."""

from __future__ import annotations

from lxml import html

from harness.report.page.pace import Interval
from harness.report.page.rates import rates

BUSY = [Interval(start_s=0.0, end_s=1.0, sent_bytes=10**8, received_bytes=0)]
FOUND = {("a", "eth1"): BUSY, ("b", "eth1"): BUSY, ("a", "eth0"): BUSY}


def made(**limits: float) -> html.HtmlElement:
    shown = [("a", "eth1"), ("b", "eth1"), ("b", "eth7")]
    stated = {("a", name): value for name, value in limits.items()}
    return html.fromstring(f"<div>{rates(FOUND, shown, (0.0, 2.0), 'r', limits_gb_s=stated)}</div>")


def test_each_data_nic_that_was_observed_has_a_strip_and_the_table_has_all() -> None:
    assert len(made().find_class("fill")) == 2
    names = [row.findtext("th") for row in made().xpath("//tbody/tr")]
    assert names == ["a/eth0", "a/eth1", "b/eth1"]
    assert "0.100 GB/s" in made().xpath("//tbody/tr")[1].text_content()


def test_the_lines_rate_is_dashed_where_it_is_stated() -> None:
    assert len(made().find_class("limit")) == 0
    assert len(made(eth1=0.125).find_class("limit")) == 1
    assert "0.125 GB/s" in made(eth1=0.125).xpath("//svg")[0].text_content()


def test_nothing_observed_is_said() -> None:
    assert "No observer" in rates({}, [("a", "eth1")], (0.0, 1.0), "r", limits_gb_s={})
