"""Runs go in whole and once; series come out as they went in."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HistoryError
from harness.history import History, Series, Tested, taken, tonight
from suites.unit.history.nights import bed, exchange, kept, many, run

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history.sqlite")


def filled(history: History, nights: int, **about: object) -> History:
    for night in range(nights):
        history.add(kept(night, **about))
    return history


def everything(history: History) -> list[object]:
    return [
        history.runs(),
        history.series(),
        history.tests(),
        history.plans(),
        history.testbeds(),
    ]


def test_a_series_comes_out_as_it_went_in(history: History) -> None:
    entries = run(exchange("a"), exchange("b", seed=3))
    history.add(taken(entries, "PASS", {}))

    def key(one: Series) -> object:
        return one.key

    assert sorted(history.series(), key=key) == sorted(tonight(entries), key=key)


def test_nights_come_in_the_order_of_their_time(history: History) -> None:
    for night in (2, 0, 1):
        history.add(kept(night))
    (one,) = history.series()
    assert [night.run for night in one.nights] == ["night-0000", "night-0001", "night-0002"]
    assert [run.run for run in history.runs()] == [night.run for night in one.nights]


def test_a_run_twice_is_a_run_once(history: History) -> None:
    filled(history, 3)
    before = everything(history)
    filled(history, 3)
    assert everything(history) == before


def test_a_run_that_was_made_again_replaces_itself(history: History) -> None:
    filled(history, 2)
    again = kept(1, gb_s=(0.5,), outcome="FAIL", tests={"b.py::test_b": "FAIL"})
    history.add(again)
    (one,) = history.series()
    assert [night.samples for night in one.nights] == [(0.12, 0.13), (0.5,)]
    assert [found.outcome for found in history.runs()] == ["PASS", "FAIL"]
    assert Tested(run="night-0001", test="b.py::test_b", outcome="FAIL") in history.tests()
    assert len(history.tests()) == 2


def test_one_testbed_is_never_compared_with_another(history: History) -> None:
    filled(history, 2)
    history.add(kept(2, fingerprint=bed(kernel="6.19.0")))
    history.add(kept(3, fingerprint=bed(nodes="alpha,gamma")))
    assert [len(one.nights) for one in history.series()] in ([2, 1, 1], [1, 2, 1], [1, 1, 2])
    (only,) = history.series(fingerprint=bed(kernel="6.19.0").digest)
    assert [night.run for night in only.nights] == ["night-0002"]
    assert history.series(fingerprint="nobody's") == []


def test_the_same_machines_are_one_series_whatever_ran_on_them(history: History) -> None:
    filled(history, 2)
    history.add(kept(2, fingerprint=bed(kernel="6.19.0")))
    history.add(kept(3, fingerprint=bed(nodes="alpha,gamma")))
    found = history.joined(topology=bed().topology_digest)
    assert [len(one.nights) for one in found] == [3]
    assert sorted(len(one.nights) for one in history.joined()) == [1, 3]


def test_a_night_without_samples_is_kept(history: History) -> None:
    history.add(kept(0, gb_s=()))
    (one,) = history.series()
    assert (one.nights[0].samples, one.nights[0].excluded) == ((), 1)


def test_floats_are_kept_to_the_last_bit(history: History) -> None:
    samples = (0.1 + 0.2, 1e-300, 123456789.12345679)
    history.add(kept(0, gb_s=samples))
    assert history.series()[0].nights[0].samples == samples


def test_canaries_are_kept_with_their_run(history: History) -> None:
    history.add(kept(0, canaries={"flip": True, "swap": False}), kept(1))
    assert [one.canaries for one in history.runs()] == [{"flip": True, "swap": False}, {}]


def test_hostile_names_are_kept_as_names(history: History) -> None:
    name = "'); DROP TABLE runs; --<script>\x00\n\u202e\udc80"
    words = {name: name}
    history.add(kept(0, run=name, revision=words, tests={name: "PASS"}, series=()))
    history.add(kept(0, run=name, revision=words, tests={name: "PASS"}, series=()))
    (found,) = history.runs()
    assert found.run == name.replace("\udc80", "\\udc80")
    assert found.revision == words
    assert len(history.tests()) == 1


# -- what is removed ---------------------------------------------------------------------------


def test_what_is_removed_is_gone_with_all_that_was_only_its_own(history: History) -> None:
    filled(history, 2)
    before = everything(history)
    odd = kept(9, fingerprint=bed(kernel="6.19.0"))
    history.add(replace(odd, plans={"q": {"channels": 1}, **odd.plans}))
    history.remove([odd.run])
    assert everything(history) == before


def test_an_unknown_run_is_named_and_nothing_is_removed(history: History) -> None:
    filled(history, 1)
    with pytest.raises(HistoryError, match="has no run x"):
        history.remove(["night-0000", "x"])
    assert len(history.runs()) == 1


def test_the_room_of_what_is_removed_is_given_back(history: History) -> None:
    runs = many(40, 20)
    history.add(*runs)
    full = history.path.stat().st_size
    history.remove([one.run for one in runs[1:]])
    assert history.path.stat().st_size < full / 3


# -- two at once, and many nights --------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from harness.history import History
from suites.unit.history.nights import kept
first, path = int(sys.argv[1]), Path(sys.argv[2])
for night in range(first, 60, 2):
    History(path).add(kept(night))
"""


def test_two_writers_at_once_lose_nothing(history: History) -> None:
    """One has the even nights, the other the odd ones; both also make the file."""
    command = [sys.executable, "-c", WRITER]
    writers = [
        subprocess.Popen([*command, first, str(history.path)], cwd=PROJECT) for first in "01"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert [one.run for one in history.runs()] == [f"night-{n:04}" for n in range(60)]
    assert [len(one.nights) for one in history.series()] == [60]


def cpu_s(call: Callable[[], object]) -> float:
    """Of this process, as others may be busy too; the least of three."""
    spent = []
    for _ in range(3):
        begun_s = time.process_time()
        call()
        spent.append(time.process_time() - begun_s)
    return min(spent)


def test_a_thousand_nights_cost_what_their_samples_cost(history: History) -> None:
    """Ten times the nights take some ten times as long to read, where a square would take a
    hundred, and a night more is as quickly added."""
    runs = many(1000, 50)
    history.add(*runs[:100])
    read_s = cpu_s(history.series)
    add_s = cpu_s(lambda: history.add(runs[50]))
    history.add(*runs[100:])
    found = history.series()
    assert (len(found), {len(one.nights) for one in found}) == (50, {1000})
    assert cpu_s(history.series) < 40 * read_s
    assert cpu_s(lambda: history.add(runs[50])) < 20 * add_s


def test_of_several_runs_all_are_kept_or_none(history: History) -> None:
    history.add(kept(9))
    wrong = replace(kept(1), outcome=None)
    with pytest.raises(HistoryError, match=r"runs\.outcome"):
        history.add(kept(0), wrong)  # type: ignore[arg-type]
    assert [one.run for one in history.runs()] == ["night-0009"]
