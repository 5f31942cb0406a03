"""`python -m harness history`: what it takes and leaves, and what it says of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.evidence import Entry, Journal
from harness.history import History
from suites.unit.history.nights import FACTS, exchange, kept, run


def journal(folder: Path, entries: list[Entry]) -> Path:
    """The run's records as they lie on disk, with their own times."""
    writer = Journal(folder, entries[0].run)
    for entry in entries:
        writer.write(entry.record, exchange=entry.exchange)
    writer.close()
    file = folder / "journal.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line, entry in zip(lines, entries, strict=True):
        line |= {"at_s": entry.at_s, "wall_s": entry.wall_s}
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def history(*arguments: str, file: Path) -> int:
    return main(["history", *arguments, "--history", str(file)])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def test_folders_of_runs_are_taken_again_without_harm(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for night, name in enumerate(("first", "second")):
        journal(tmp_path / "reports" / name, run(exchange(), name=name, night=night))
    for _ in range(2):
        assert history("import", str(tmp_path / "reports"), file=file) == 0
        assert capsys.readouterr().out.splitlines() == [
            "taken first: 1 exchange taken",
            "taken second: 1 exchange taken",
        ]
    assert [one.run for one in History(file).runs()] == ["first", "second"]


def test_of_an_interrupted_run_what_ended_is_taken(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed within its second exchange, with a torn last line."""
    entries = run(exchange("main-1"), exchange("main-2"), ended=False)
    folder = journal(tmp_path / "cut", entries[:-12])
    with (folder / "journal.jsonl").open("a") as out:
        out.write('{"run":"run-1","worker":"ma')
    assert history("import", str(folder), file=file) == 0
    said = capsys.readouterr().out
    assert "1 exchange taken; left: 1 unfinished; the run has no end" in said
    (one,) = History(file).runs()
    assert (one.outcome, one.ended, one.taken) == ("ERROR", False, 1)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"type": "RunStarted", "tier": "t", "inventory": {"nodes": None}, "options": {},
          "versions": {}}, "TypeError"),
        ({"type": "Judged", "test": "t", "claim": "c", "outcome": "FINE", "checked": 1,
          "fact": "f"}, "KeyError"),
    ],
)  # fmt: skip
def test_a_foreign_journal_is_left_and_the_others_are_taken(
    record: dict[str, object],
    told: str,
    tmp_path: Path,
    file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal(tmp_path / "good", run(exchange()))
    (tmp_path / "bad").mkdir()
    line = {"run": "r", "worker": "main", "seq": 1, "at_s": 0.0, "wall_s": 0.0, "exchange": ""}
    (tmp_path / "bad" / "journal.jsonl").write_text(json.dumps({**line, "record": record}) + "\n")
    assert history("import", str(tmp_path), file=file) == 1
    left, taken = capsys.readouterr().out.splitlines()
    assert left.startswith(f"LEFT  {tmp_path / 'bad'}: HISTORY: its journal says what no run says")
    assert told in left
    assert taken.startswith("taken ")


def test_a_run_that_cannot_be_read_is_left_with_the_reason_and_the_others_are_taken(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / "good", run(exchange()))
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "journal.jsonl").write_text('{"record": {"type": "Nonsense"}}\n')
    assert history("import", str(tmp_path), file=file) == 1
    left, taken = capsys.readouterr().out.splitlines()
    assert left.startswith(f"LEFT  {bad}: EVIDENCE: ")
    assert "unknown record 'Nonsense'" in left
    assert taken == "taken run-1: 1 exchange taken"


def test_a_folder_without_runs_is_one_sentence(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert history("import", str(tmp_path), file=file) == 2
    assert capsys.readouterr().err.startswith(f"HISTORY: no journal in {tmp_path}")
    assert not file.exists()


def test_a_list_says_what_two_testbeds_differ_in(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / "a", run(exchange(), name="a", options={"revision": "v1-2-gabc"}))
    other = FACTS | {"nic.eth1.firmware": "7.2"}
    journal(tmp_path / "b", run(exchange(), name="b", night=1, facts=other))
    history("import", str(tmp_path), file=file)
    capsys.readouterr()
    assert history("list", file=file) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(": alpha, beta, tier testbed")
    assert said[1].endswith("1 exchange, v1-2-gabc")
    assert said[3] == "  differs: firmware 7.1 -> 7.2 (alpha.nic.eth1 and 1 more)"
    assert said[4].split()[2] == "b"


def test_no_history_and_an_empty_one_say_so(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert history("list", file=file) == 2
    assert "there is no history" in capsys.readouterr().err
    History(file).add(kept(0))
    History(file).remove(["night-0000"])
    assert history("list", file=file) == 1
    assert history("export", str(tmp_path / "x.csv"), file=file) == 1
    assert "is empty" in capsys.readouterr().out
    assert not (tmp_path / "x.csv").exists()


def test_the_export_says_how_much_it_wrote(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    History(file).add(kept(0))
    assert history("export", str(tmp_path / "x.csv"), file=file) == 0
    assert capsys.readouterr().out.startswith("2 samples of 1 series in ")
    assert '""channels"": 4' in (tmp_path / "x.csv").read_text()


def test_pruning_forgets_what_no_rule_keeps(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for night in range(5):
        History(file).add(kept(night))
    assert history("prune", "--keep-nights", "2", file=file) == 0
    assert capsys.readouterr().out == "3 runs forgotten, 2 kept\n"
    assert [one.run for one in History(file).runs()] == ["night-0003", "night-0004"]


def test_pruning_spares_the_nights_that_the_next_one_is_compared_with(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty good ones, whatever the rules say, and none of them the one with too few samples."""
    samples = [0.120, 0.121, 0.122, 0.123, 0.124] * 2
    History(file).add(*(kept(n, gb_s=samples if n != 28 else samples[:3]) for n in range(30)))
    assert history("prune", "--keep-nights", "1", file=file) == 0
    assert capsys.readouterr().out == "10 runs forgotten, 20 kept\n"
    left = [*range(9, 28), 29]
    assert [one.run for one in History(file).runs()] == [f"night-{n:04}" for n in left]


def test_pruning_without_a_rule_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    History(file).add(kept(0))
    assert history("prune", file=file) == 2
    assert "--keep-days" in capsys.readouterr().err
    assert len(History(file).runs()) == 1


def test_days_are_counted_from_today(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    History(file).add(kept(0))
    History(file).add(replace(kept(1), at_s=time.time() - 3600))
    assert history("prune", "--keep-days", "2", file=file) == 0
    assert [one.run for one in History(file).runs()] == ["night-0001"]
