"""What came between two nights is said; so is that nothing did."""

from __future__ import annotations

from harness.history.blame import between, blame
from harness.history.series import Night


def nights(*words: dict[str, str] | None) -> list[Night]:
    """None: a night without samples."""
    return [
        Night(run=f"n{at}", at_s=at, samples=(1.0,) if one is not None else (), revision=one or {})
        for at, one in enumerate(words)
    ]


def test_what_changed_is_named_the_revision_first() -> None:
    old = {"driver": "gve 1.0", "kernel": "6.18", "revision": "a"}
    found = blame(nights(old, old | {"driver": "gve 1.1", "revision": "b"}), 1)
    assert (found.before, found.after) == ("n0", "n1")
    assert found.told() == "revision a -> b in n1; driver gve 1.0 -> gve 1.1 in n1"


def test_what_came_two_nights_before_or_after_may_have_been_it() -> None:
    words = [{"revision": letter} for letter in "aabccdeeff"]
    found = blame(nights(*words), 5)
    assert (found.before, found.after) == ("n2", "n7")
    assert found.told() == "revision b -> c in n3; revision c -> d in n5; revision d -> e in n6"


def test_a_night_without_samples_is_none_and_widens_the_range() -> None:
    found = blame(nights({"revision": "a"}, None, {"revision": "c"}), 2)
    assert (found.before, found.after, found.told()) == ("n0", "n2", "revision a -> c in n2")


def test_a_change_on_the_first_night_has_no_night_before() -> None:
    found = blame(nights({"revision": "a"}), 0)
    assert (found.before, found.after) == ("n0", "n0")


def test_that_nothing_changed_is_said() -> None:
    same = {"revision": "a"}
    assert blame(nights(same, same), 1).told() == "nothing that was recorded changed"


def test_that_nobody_said_the_revision_is_said() -> None:
    found = blame(nights({"kernel": "6.18"}, {"kernel": "6.19"}), 1)
    assert found.told() == "kernel 6.18 -> 6.19 in n1; not every run has a --hil-revision"


def test_of_two_runs_all_that_differs_is_named() -> None:
    found = between("n0", {"revision": "a"}, "n9", {"revision": "b", "plugin": "p"})
    assert found.told() == "revision a -> b; plugin unknown -> p"
