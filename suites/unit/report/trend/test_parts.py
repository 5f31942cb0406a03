"""Each part says what it has to say, and says it when that is nothing."""

from __future__ import annotations

import re

from harness.report.page.markup import join
from harness.report.trend import Past, parts
from suites.unit.history.nights import bed, kept
from suites.unit.report.trend.pasts import Moved, at, nights, of


def text(whole: object) -> str:
    """As it is read, without its marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", join(whole)).split())  # type: ignore[arg-type]


def at_each(nights: range) -> list[Moved]:
    return [Moved(night=night) for night in nights]


def upgraded() -> Past:
    """A new kernel on the fourth night, and slower since."""
    old, new = ({"revision": word, "kernel": kernel} for word, kernel in (("a", "1"), ("a", "2")))
    runs = [kept(n, revision=old) for n in range(3)]
    runs += [kept(n, revision=new, fingerprint=bed(kernel="6.19.0")) for n in range(3, 6)]
    return of(*runs, changes=at(3))


def test_a_change_is_dated_sized_and_has_a_blame_range() -> None:
    said = text(parts.changed(upgraded()))
    assert said.startswith(
        "2026-09-24 eth1, GB/s ✕ worse ▼ step of -5.5%: 0.126 GB/s to 0.119 GB/s"
    )
    assert "Between night-0000 and night-0005: kernel 1 -&gt; 2 in night-0003." in said


def test_that_nothing_changed_is_said() -> None:
    assert text(parts.changed(of(*nights(14)))).startswith("None of 1 series changed")


def test_that_nights_are_too_few_to_tell_is_said() -> None:
    few = [kept(n, fingerprint=bed(nodes="a,b")) for n in range(13)]
    said = text(parts.changed(of(*few)))
    assert said.startswith("No change can be found: all 1 have fewer than 14 nights")
    both = [kept(n + 20) for n in range(14)]
    said = text(parts.changed(of(*few, *both)))
    assert said.endswith("1 have fewer than 14 nights: too few to tell.")


def test_series_of_one_night_are_in_the_table_alone() -> None:
    said = join(parts.every(of(kept(0))))
    assert "<svg" not in said
    assert "1 series of one night alone are in the table." in text(said)
    assert "<svg" in join(parts.every(of(*nights(2))))


def test_a_plan_in_which_something_changed_comes_first() -> None:
    runs = [kept(n) for n in range(3)]
    other = [kept(n, run=f"other-{n}", plans={"a" * 16: {"channels": 1}}) for n in range(3)]
    for one in other:
        object.__setattr__(one.series[0].key, "plan", "a" * 16)
    found = of(*runs, *other, changes=lambda s: at(1)(s) if s.key.plan.startswith("p") else ())
    said = text(parts.every(found))
    assert said.index("(pppppp)") < said.index("(aaaaaa)")


def test_the_table_of_medians_has_the_latest_nights() -> None:
    said = text(parts.every(of(*nights(40))))
    assert "30 of 40 nights, latest first run day eth1, GB/s night-0039" in said
    assert "night-0010" in said
    assert "night-0009" not in said


def test_flakes_are_told_with_what_they_ran_on() -> None:
    runs = [kept(n, tests={"a.py::test_a": w}) for n, w in enumerate(("PASS", "FAIL", "PASS"))]
    said = text(parts.flaky(of(*runs)))
    assert said == (
        "2026-09-22 a.py::test_a 2 green, 1 red, the last of them night-0001 revision a1b2c3"
    )
    assert text(parts.flaky(of(*nights(2)))).startswith("No test was green and red")


def test_a_flake_of_nobody_knows_what_says_so() -> None:
    words = {"kernel": "6.18"}
    runs = [
        kept(n, tests={"a": outcome}, revision=words)
        for n, outcome in enumerate(("PASS", "FAIL", "PASS"))
    ]
    assert text(parts.flaky(of(*runs))).endswith("kernel 6.18; no run says its --hil-revision")


def test_of_very_many_changes_the_latest_are_shown() -> None:
    found = of(*nights(250), changes=lambda _: at_each(range(250)))
    said = parts.changed(found)
    assert join(said).count("<li>") == parts.MOST
    assert text(said).endswith("and 50 older ones")


def test_a_canary_that_was_missed_is_told_first() -> None:
    runs = [kept(n, canaries={"a flip": True, "b swap": n != 1}) for n in range(3)]
    said = text(parts.canaries(of(*runs)))
    assert "b swap 2 of 3 night-0001 2026-09-23 a flip 3 of 3 never" in said
    assert text(parts.canaries(of(kept(0)))).startswith("No fault was ever planted")


def test_the_runs_are_told_with_what_was_excluded() -> None:
    said = text(parts.runs(of(kept(0, excluded={"FOREIGN_LOAD": 3}, outcome="FAIL"))))
    assert "night-0000 ✕ FAIL alpha, beta 2 excluded: 3 FOREIGN_LOAD revision a1b2c3" in said


def test_the_last_green_run_is_told_with_what_came_before_the_red_one() -> None:
    runs = [kept(n, revision={"revision": f"v{n}"}) for n in range(2)]
    runs.append(kept(2, revision={"revision": "v2"}, outcome="FAIL"))
    ((green, after),) = parts.last_green(of(*runs))
    assert green.run == "night-0001"
    assert after is not None
    assert (after.after, after.told()) == ("night-0002", "revision v1 -> v2")
    ((_, none),) = parts.last_green(of(*runs[:2]))
    assert none is None
    assert list(parts.last_green(of(runs[2]))) == []
