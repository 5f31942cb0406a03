"""The picture of two nodes."""

from __future__ import annotations

from lxml import html

from harness.report.exchanges import exchanges
from harness.report.page.flows import flows
from harness.report.page.network import network, nics, risen
from harness.report.page.page import page
from suites.unit.report.page.test_events import told
from suites.unit.report.page.test_replay import started
from suites.unit.report.run import run
from suites.unit.verdict.clean import added, clean, sockets_changed
from suites.unit.verdict.test_integrity import damage

KNOWN = {"alpha": {"eth1": "1 Gbit/s", "eth9": ""}, "beta": {}}


def made(entries: list) -> html.HtmlElement:
    one = told(entries)
    return html.fromstring(f"<div>{network(flows(one), KNOWN, risen([one]), 'n')}</div>")


def widths(entries: list) -> list[float]:
    return [float(one.get("stroke-width")) for one in made(entries).find_class("band")]


def test_every_channel_is_a_band_with_its_words() -> None:
    drawn = made(clean())
    words = [text.text for text in drawn.xpath("//svg/text")]
    assert len(drawn.find_class("band")) == 4
    assert "channel 3 → 4.19 MB" in words
    assert words.count("● PASS") == 4


def test_a_band_is_as_wide_as_its_bytes() -> None:
    even = widths(clean())
    assert even == [even[0]] * 4
    odd = widths(clean(size_bytes=(16 << 20) + (512 << 10)))
    assert max(odd) > min(odd)


def test_a_damaged_channel_is_red_in_colour_and_in_words() -> None:
    drawn = made(added(clean(), damage(), 1.2))
    assert len(drawn.xpath("//path[@class='band is-FAIL']")) == 1
    assert [t.text for t in drawn.xpath("//svg/text[@class='is-FAIL']")] == ["✕ FAIL"]


def test_a_channel_elsewhere_leaves_a_dotted_line_where_it_was_planned() -> None:
    moved = sockets_changed(clean(), "client", 2, nic="eth1", bound_device="eth1")
    assert len(made(moved).find_class("planned")) == 1
    assert len(made(clean()).find_class("planned")) == 0
    assert "beta/eth3 to alpha/eth3" in made(moved).text_content()


def test_nics_have_their_own_counters_beside_and_idle_ones_are_shown() -> None:
    words = " ".join(text.text or "" for text in made(clean()).xpath("//svg/text"))
    assert "in 4." in words
    assert "eth9" in words
    assert risen(exchanges(clean()))["alpha", "eth1", "received"] > 4 << 20


def test_the_inventory_says_what_nics_there_are() -> None:
    inventory = {"nodes": [{"name": "a", "nics": [{"name": "eth1", "rate_gbit_s": 200.0}]}]}
    run_started = started()
    assert nics(None) == {}
    assert nics(type(run_started)(tier="", inventory=inventory, options={}, versions={})) == {
        "a": {"eth1": "200 Gbit/s"}
    }


def test_a_run_without_exchanges_says_so() -> None:
    assert "No channel carried anything" in network([], {}, risen([]), "n")
    assert 'id="run-0-flow-title"' in page(run())
