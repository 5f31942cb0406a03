"""The timeline as a picture and as a list."""

from __future__ import annotations

from lxml import html

from harness.evidence import ClockMeasured
from harness.report.page.events import events, groups
from harness.report.page.timeline import timeline
from suites.unit.report.page.test_events import told
from suites.unit.verdict.clean import changed, clean

WIDE = changed(clean(), ClockMeasured, bound_s=0.5)


def made(entries: list) -> html.HtmlElement:
    return html.fromstring(f"<div>{timeline(told(entries), 't')}</div>")


def test_every_event_is_a_mark_and_a_line() -> None:
    many = len(events(told(clean())))
    assert len(made(clean()).xpath("//circle")) == many
    assert len(made(clean()).xpath("//tbody/tr")) == many


def test_unordered_events_share_a_band_and_say_so_in_the_list() -> None:
    together = [group for group in groups(events(told(WIDE))) if len(group) > 1]
    assert together
    assert len(made(WIDE).xpath("//rect[@class='together']")) == len(together)
    lines = made(WIDE).xpath("//tr[@class='unordered']")
    assert len(lines) == sum(map(len, together))
    assert all("unordered" in line.text_content() for line in lines)


def test_the_clocks_and_their_bounds_are_stated() -> None:
    said = made(WIDE).xpath("//figcaption")[0].text_content()
    assert "alpha's clock is +86,400.000000 s from the controller's, ± 500.0 ms" in said
    bare = [e for e in clean() if not isinstance(e.record, ClockMeasured)]
    assert "No clock was measured" in made(bare).text_content()


def test_every_lane_is_named_with_its_role() -> None:
    words = [text.text for text in made(clean()).xpath("//svg/text")]
    assert {"controller", "alpha", "beta", "server", "client"} <= set(words)
