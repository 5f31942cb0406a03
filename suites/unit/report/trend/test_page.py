"""trend.html: one file that fetches nothing, whoever named the NICs."""

from __future__ import annotations

import re
import time
from dataclasses import replace

from lxml import etree, html

from harness.report.trend import Past, trend
from suites.unit.history.nights import bed, kept, many
from suites.unit.report.trend.pasts import Moved, at, nights, of

HOSTILE = "</style></svg><script>alert(1)</script>\u202e\x00&\"'\udc80"


def page(past: Past) -> etree._Element:
    return html.fromstring(trend(past))


def hostile() -> Past:
    """Every name that somebody else chose."""
    runs = []
    for n in range(3):
        one = kept(
            n,
            run=f"{HOSTILE}{n}",
            revision={HOSTILE: HOSTILE, "revision": f"{HOSTILE}{n}"},
            fingerprint=bed(nodes=HOSTILE),
            tests={HOSTILE: "PASS" if n else "FAIL"},
            canaries={HOSTILE: False},
            excluded={HOSTILE: 2},
            outcome=HOSTILE,
            plans={"p" * 16: {"exercise": HOSTILE, "server": HOSTILE, "memory": HOSTILE}},
        )
        (series,) = one.series
        key = replace(series.key, subject=HOSTILE, metric=HOSTILE)
        night = replace(series.nights[0], run=one.run)
        runs.append(replace(one, series=(replace(series, key=key, nights=(night,)),)))
    return of(*runs, changes=at(1))


def test_its_parts_are_there_and_named() -> None:
    found = page(of(*nights(3), changes=at(2)))
    assert [one.get("id") for one in found.iter("section")] == [
        "changes",
        "series",
        "flakes",
        "canaries",
        "runs",
    ]
    assert found.findtext(".//title") == "Trend: 1 change for the worse"
    assert [h.text for h in found.iter("h1")] == ["Trend of 3 runs, 2026-09-21 to 2026-09-23"]


def test_it_needs_no_other_file_and_no_script() -> None:
    text = trend(of(*nights(3), changes=at(2)))
    found = html.fromstring(text)
    assert not list(found.iter("script", "link", "img", "iframe", "object"))
    assert all(one.get("href").startswith("#") for one in found.iter("a"))
    assert re.search(r"(?:https?:)?//\w", text) is None
    (policy,) = found.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy


def test_ids_are_unique_and_every_picture_has_its_words() -> None:
    others = [kept(n, fingerprint=bed(nodes="a,b")) for n in (4, 5)]
    found = page(of(*nights(3), *others, changes=at(1)))
    assert len(list(found.iter("svg"))) == 2
    ids = [one.get("id") for one in found.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    for picture in found.iter("svg"):
        assert picture.get("role") == "img"
        assert all(name in ids for name in picture.get("aria-labelledby").split())
    links = [one.get("href")[1:] for one in found.iter("a")]
    assert set(links) <= set(ids)


def test_hostile_names_stay_text() -> None:
    text = trend(hostile())
    found = html.fromstring(text)
    assert not list(found.iter("script"))
    assert text.count("</style>") == 1
    assert "\u202e" not in text
    assert "\x00" not in text
    text.encode()


def test_the_same_past_gives_the_same_bytes() -> None:
    assert trend(of(*nights(4), changes=at(2))) == trend(of(*nights(4), changes=at(2)))


def test_the_head_says_what_is_worse_and_what_was_green() -> None:
    runs = [*nights(3), kept(3, outcome="FAIL", excluded={"GPU_THROTTLED": 4})]
    said = " ".join(page(of(*runs, changes=at(3))).find(".//header").text_content().split())
    assert "1 change for the worse" in said
    assert "Last green2026-09-23night-0002, a1b2c3. Then, until night-0003: nothing that" in said
    assert "Canaries caughtnone planted" in said
    assert "Exchanges excluded4" in said
    assert "Series long enough0 of 1" in said


def test_never_green_and_never_changed_are_said() -> None:
    said = page(of(*nights(14, outcome="FAIL"))).find(".//header").text_content()
    assert "Nothing changed" in said
    assert "Last greennever" in said


def test_what_became_better_is_said_beside_what_became_worse() -> None:
    up = Moved(night=2, relative=0.1)
    both = of(*nights(4), changes=lambda _: (Moved(night=1), up))
    assert page(both).findtext(".//title") == (
        "Trend: 1 change for the worse, 1 change for the better"
    )
    only = of(*nights(4), changes=lambda _: (up,))
    assert page(only).findtext(".//title") == "Trend: 1 change for the better"


def test_too_few_nights_are_no_good_news() -> None:
    found = page(of(*nights(13)))
    (verdict,) = found.find_class("verdict")
    assert verdict.text == "Too few nights to tell"
    assert "is-INCONCLUSIVE" in verdict.get("class")


def test_series_that_are_too_short_are_not_called_unchanged() -> None:
    (verdict,) = page(of(*many(16, 1), *nights(2))).find_class("verdict")
    assert verdict.text == (
        "Nothing changed in 1 of 2 series; the others have too few nights to tell"
    )


def test_a_thousand_nights_cost_what_their_figures_cost() -> None:
    """Ten times the nights take some ten times as long, where a square would take a hundred."""

    def made(count: int) -> tuple[float, int]:
        found = of(*many(count, 50), changes=at(count // 2))
        begun_s = time.process_time()
        text = trend(found)
        return time.process_time() - begun_s, len(text)

    few_s, few_bytes = made(100)
    many_s, many_bytes = made(1000)
    assert many_s < 40 * few_s
    assert many_bytes < 10 * few_bytes
    assert many_bytes < 5_000_000
