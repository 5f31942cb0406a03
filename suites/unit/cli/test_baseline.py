"""`python -m harness baseline`: what it says, and what it keeps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.history import Fingerprint, History
from harness.regression.known import Acknowledged, Adopted, read, said_file
from suites.unit.history.nights import bed, kept, many
from suites.unit.regression.made import DAY_S, flat

NEWER = bed(kernel="6.19.0")


def samples(level: float) -> list[float]:
    return [level * (1 + 0.001 * n) for n in range(10)]


def filled(file: Path, levels: Sequence[float], found: Fingerprint, *, first: int = 0) -> History:
    """A night a level, the last one yesterday."""
    history = History(file)
    now_s = time.time()
    for number, level in enumerate(levels, first):
        one = kept(number, gb_s=samples(level), fingerprint=found)
        at_s = now_s - (first + len(levels) - number) * DAY_S
        (series,) = one.series
        nights = (replace(series.nights[0], at_s=at_s),)
        history.add(replace(one, at_s=at_s, series=(replace(series, nights=nights),)))
    return history


def baseline(*arguments: str, file: Path) -> int:
    return main(["baseline", *arguments, "--history", str(file)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def test_show_tells_good_nights_and_what_they_differ_by(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(file, flat(25), bed())
    assert baseline("show", file=file) == 0
    first, line = capsys.readouterr().out.splitlines()
    assert first == f"testbed {bed().digest}, 1 series"
    assert line.startswith("  pppppppp eth1 gb_s: 20 good nights, which differ by up to ")


def test_show_dates_a_change_that_nobody_acknowledged(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = flat(40)
    levels[30:] *= 0.9
    filled(file, levels, bed())
    baseline("show", file=file)
    assert "; step -9.8%" in (said := capsys.readouterr().out)
    assert "(run night-0030)" in said


def test_an_acknowledged_change_is_kept_with_its_reason_and_ends_the_old_baseline(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = flat(40)
    levels[30:] *= 0.9
    filled(file, levels, bed())
    said = ("acknowledge", "night-0030", "--subject", "eth*", "--reason", "slower cable")
    assert baseline(*said, file=file) == 0
    told = "acknowledged: 1 series have no baseline from before run night-0030\n"
    assert capsys.readouterr().out == told
    (one,) = read(said_file(file)).said
    assert isinstance(one, Acknowledged)
    assert (one.run, one.subject, one.reason) == ("night-0030", "eth*", "slower cable")
    baseline("show", file=file)
    shown = capsys.readouterr().out
    assert "10 good nights" in shown
    assert "said: * of eth* is as it is since run night-0030: slower cable" in shown


def test_what_a_nic_has_beside_its_siblings_can_be_acknowledged_alone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    History(file).add(*many(2, series=4))
    said = ("acknowledge", "night-0001", "--metric", "gb_s_beside", "--reason", "slower port")
    assert baseline(*said, file=file) == 0
    assert capsys.readouterr().out.startswith("acknowledged: 4 series have no baseline")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("night-9999",), "the history has no run night-9999"),
        (("night-0003", "--subject", "eth9"), r"no series is \* of eth9"),
    ],
)
def test_what_is_not_there_cannot_be_acknowledged(
    file: Path, said: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(file, flat(5), bed())
    assert baseline("acknowledge", *said, "--reason", "r", file=file) == 2
    assert message.replace("\\", "") in capsys.readouterr().err
    assert not said_file(file).exists()


def test_another_testbeds_nights_are_adopted_and_kept_from_pruning(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = filled(file, flat(25), bed())
    filled(file, flat(1), NEWER, first=25)
    baseline("show", file=file)
    shown = capsys.readouterr().out
    assert "1 good nights of this testbed and plan, expected at least 5" in shown
    assert f"25 of testbed {bed().digest}" in shown
    assert baseline("adopt", bed().digest[:6], "--reason", "patch level", file=file) == 0
    told = f"adopted: the last 20 nights of {bed().digest} count for {NEWER.digest}\n"
    assert capsys.readouterr().out == told
    (one,) = read(said_file(file)).said
    assert isinstance(one, Adopted)
    assert (one.source, one.target) == (bed().digest, NEWER.digest)
    assert main(["history", "prune", "--keep-nights", "1", "--history", str(file)]) == 0
    assert capsys.readouterr().out == "5 runs forgotten, 21 kept\n"
    assert len(history.runs()) == 21
    baseline("show", file=file)
    assert "20 good nights" in capsys.readouterr().out


def test_a_testbed_that_nobody_knows_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(file, flat(2), bed())
    assert baseline("adopt", "nowhere", "--reason", "r", file=file) == 2
    assert "0 testbeds are called 'nowhere'" in capsys.readouterr().err


def test_a_reason_is_a_must(file: Path) -> None:
    with pytest.raises(SystemExit):
        baseline("adopt", "x", file=file)
