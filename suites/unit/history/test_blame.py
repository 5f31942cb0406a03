"""What came between two nights is said; so is that nothing did."""

from __future__ import annotations

from harness.history.blame import blame
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
    assert found.told() == "revision a -> b; driver gve 1.0 -> gve 1.1"


def test_a_night_without_samples_widens_the_range() -> None:
    found = blame(nights({"revision": "a"}, None, {"revision": "c"}), 2)
    assert (found.before, found.after, found.told()) == ("n0", "n2", "revision a -> c")


def test_that_nothing_changed_is_said() -> None:
    same = {"revision": "a"}
    assert blame(nights(same, same), 1).told() == "nothing that was recorded changed"


def test_that_nobody_said_the_revision_is_said() -> None:
    found = blame(nights({"kernel": "6.18"}, {"kernel": "6.19"}), 1)
    assert found.told() == "kernel 6.18 -> 6.19; a run has no --hil-revision"
