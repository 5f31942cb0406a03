"""`python -m harness trend`: a page where there is something to show, else none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.history import History
from harness.regression import changes
from harness.report.trend.past import ENOUGH
from suites.unit.history.nights import kept

SAMPLES = (0.120, 0.121, 0.122, 0.123, 0.124) * 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def test_a_step_is_found_dated_and_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tenth slower since the thirtieth night."""
    for n in range(60):
        factor = 1 + 0.002 * ((n * 7) % 5 - 2) - 0.1 * (n >= 30)
        History(file).add(kept(n, gb_s=[factor * one for one in SAMPLES]))
    assert main(["trend", "--history", str(file)]) == 0
    page = file.with_name("trend.html")
    assert capsys.readouterr().out == f"1 changes in 1 series: {page}\n"
    text = page.read_text()
    assert "1 change for the worse" in text
    assert "Between night-0027 and night-0032" in text


def test_nights_that_are_called_enough_are(file: Path) -> None:
    """Half of them a tenth slower is found; of half as many nights it is not."""
    for n in range(ENOUGH):
        factor = 1 + 0.001 * ((n * 7) % 5 - 2) - 0.1 * (n >= ENOUGH // 2)
        History(file).add(kept(n, gb_s=[factor * one for one in SAMPLES]))
    (series,) = History(file).series()
    assert len(changes(series)) == 1
    assert changes(replace(series, nights=series.nights[ENOUGH // 4 : -ENOUGH // 4])) == ()


def test_an_empty_history_makes_no_page(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    History(file).add(kept(0, series=()))
    assert main(["trend", "--history", str(file)]) == 1
    assert "has no samples; no page was written" in capsys.readouterr().out
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_no_history_is_one_sentence(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trend", "--history", str(file)]) == 2
    assert capsys.readouterr().err.startswith(f"HISTORY: there is no history in {file}")


def test_the_page_may_lie_elsewhere(file: Path, tmp_path: Path) -> None:
    History(file).add(kept(0))
    assert main(["trend", "--history", str(file), "--out", str(tmp_path / "x.html")]) == 0
    assert (tmp_path / "x.html").exists()
