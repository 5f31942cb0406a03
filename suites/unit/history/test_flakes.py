"""A flake is green and red with nothing changed; whatever else differs is none."""

from __future__ import annotations

from pathlib import Path

from harness.history import History
from harness.history.flakes import Flake, flakes
from suites.unit.history.nights import bed, kept

TEST = "a.py::test_a"


def found(tmp_path: Path, *runs: object) -> list[Flake]:
    history = History(tmp_path / "history.sqlite")
    history.add(*runs)  # type: ignore[arg-type]
    return flakes(history.runs(), history.tests())


def night(number: int, outcome: str, **about: object) -> object:
    return kept(number, tests={TEST: outcome}, **about)


def test_green_and_red_at_one_revision_is_a_flake(tmp_path: Path) -> None:
    runs = [night(n, word) for n, word in enumerate(("PASS", "FAIL", "PASS", "INCONCLUSIVE"))]
    (one,) = found(tmp_path, *runs)
    assert (one.test, one.green, one.red) == (TEST, 2, ("night-0001", "night-0003"))
    assert one.revision == {"revision": "a1b2c3"}


def test_what_was_both_in_one_run_is_a_flake(tmp_path: Path) -> None:
    (one,) = found(tmp_path, night(0, "FLAKY"), night(1, "PASS"))
    assert (one.green, one.red) == (2, ("night-0000",))


def test_another_revision_is_no_flake(tmp_path: Path) -> None:
    other = night(1, "FAIL", revision={"revision": "d4e5f6"})
    assert found(tmp_path, night(0, "PASS"), other) == []


def test_nor_is_another_testbed(tmp_path: Path) -> None:
    other = night(1, "FAIL", fingerprint=bed(nodes="alpha,gamma"))
    assert found(tmp_path, night(0, "PASS"), other) == []


def test_nor_what_was_always_red_or_never_run(tmp_path: Path) -> None:
    assert found(tmp_path, night(0, "FAIL"), night(1, "ERROR"), night(2, "SKIP")) == []


def test_nor_what_a_cut_run_had_not_reached(tmp_path: Path) -> None:
    assert found(tmp_path, night(0, "PASS"), night(1, "ERROR", ended=False)) == []


def test_an_outcome_that_nobody_knows_is_red(tmp_path: Path) -> None:
    assert len(found(tmp_path, night(0, "PASS"), night(1, "MAYBE"))) == 1
