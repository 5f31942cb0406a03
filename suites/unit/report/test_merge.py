"""Shards: every test once, the worst end counts, nothing is lost and both readers agree."""

from __future__ import annotations

import random
from pathlib import Path

import junitparser
import pytest
from lxml import etree

from harness.errors import EvidenceError, ReportError
from harness.evidence import Entry, Journal, TestFinished
from harness.report.junit import PROFILES, document
from harness.report.merge import Shard, merged, read_shards
from harness.report.suite import members_of
from suites.unit.report.run import BROKEN, DAMAGED, MAPPED, PLANNED, green, run
from suites.unit.report.shards import of_run, on_nodes, tried, with_record
from suites.unit.report.test_junit import SCHEMA

NOWHERE = Path("nowhere")


def shard(name: str, entries: list[Entry]) -> Shard:
    return Shard(name, NOWHERE, tuple(of_run(entries, name)))


def cases_of(*shards: Shard):
    found = members_of(merged(shards, {}))
    named = {member.case.test: member for member in found}
    assert len(named) == len(found), "a test is there twice"
    return named


def test_shards_of_different_tests_are_all_there() -> None:
    found = cases_of(shard("a", run()), shard("b", tried("PASS")))
    assert set(found) == {*PLANNED, "a.py::test_a"}
    assert [member.notes for member in found.values()] == [()] * len(found)


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_test_in_two_shards_the_worst_counts_and_the_other_is_told(order: int) -> None:
    shards = [shard("a", green()), shard("b", with_record(green(), TestFinished, outcome="FAIL"))]
    (member,) = cases_of(*shards[::order]).values()
    assert member.case.outcome.name == "FAIL"
    assert member.notes == ("also in run a: PASS",)


def test_a_test_that_ran_in_one_shard_and_was_skipped_in_the_other_ran() -> None:
    skipped = with_record(green(), TestFinished, outcome="SKIP", message="no rate")
    (member,) = cases_of(shard("a", skipped), shard("b", green())).values()
    assert (member.case.outcome.name, member.notes) == ("PASS", ("also in run a: SKIP no rate",))


def test_shards_that_have_all_skipped_everything_have_checked_nothing() -> None:
    skipped = with_record(green(), TestFinished, outcome="SKIP", message="no rate")
    found = cases_of(shard("a", skipped), shard("b", skipped))
    red = {test for test, member in found.items() if member.case.klass == "NOTHING_CHECKED"}
    assert red == {"run::ending[a]", "run::ending[b]"}


def test_exchanges_of_one_name_stay_with_their_run() -> None:
    found = cases_of(shard("a", run()), shard("b", tried("PASS")))
    assert [one.seen.name for one in found[MAPPED].told] == ["main-1"]
    assert found["a.py::test_a"].told == ()


def test_runs_without_an_end_are_a_case_each() -> None:
    found = cases_of(
        shard("a", green()[:-1]), shard("b", tried("PASS")[:-1]), Shard("c", NOWHERE, ())
    )
    assert {t for t in found if t.startswith("run::")} == {
        "run::ending[a]",
        "run::ending[b]",
        "run::ending[c]",
    }


def test_suites_of_one_name_are_one_and_of_other_nodes_another() -> None:
    other = on_nodes(tried("FAIL"), "gamma", "delta")
    found = merged([shard("a", run()), shard("b", tried("PASS")), shard("c", other)], {})
    assert [suite.name for suite in found] == ["hil testbed alpha+beta", "hil testbed gamma+delta"]
    assert found[0].properties["run"] == "a; b"
    assert found[0].properties["tier"] == "testbed"


def test_a_suite_whose_tests_all_count_elsewhere_is_not_there() -> None:
    other = on_nodes(tried("PASS"), "gamma", "delta")
    found = merged([shard("b", tried("PASS")), shard("c", other)], {})
    assert [suite.name for suite in found] == ["hil testbed alpha+beta"]
    assert members_of(found)[0].notes == ("also in run c: PASS",)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", range(6))
def test_cut_shards_lose_no_test_and_both_readers_agree(
    seed: int, profile: str, tmp_path: Path
) -> None:
    """Killed anywhere; in each shard its own tests and some of another's."""
    dice = random.Random(seed)
    whole = {"a": run(), "b": tried("FAIL", "PASS", asked=2), "c": green()}
    cut = {name: es[: dice.randrange(2, len(es) + 1)] for name, es in whole.items()}
    found = merged([shard(name, entries) for name, entries in cut.items()], {})
    text = document(found, profile=profile)
    tests = {m.case.test for m in members_of(found)}
    assert tests >= {*PLANNED, "a.py::test_a"}
    tree = etree.fromstring(text.encode())
    assert len(tree.findall(".//testcase")) == len(tests)
    assert profile == "rich" or SCHEMA.validate(tree), SCHEMA.error_log
    (tmp_path / "merged.xml").write_text(text)
    read = junitparser.JUnitXml.fromfile(str(tmp_path / "merged.xml"))
    assert sum(len(list(suite)) for suite in read) == len(tests)
    assert (read.tests, read.failures, read.errors) == tuple(
        int(tree.get(name)) for name in ("tests", "failures", "errors")
    )


def written(folder: Path, entries: list[Entry], name: str, worker: str = "main") -> Path:
    journal = Journal(folder, name, worker)
    for entry in entries:
        journal.write(entry.record, exchange=entry.exchange)
    journal.close()
    return folder


def test_folders_and_journals_are_read(tmp_path: Path) -> None:
    whole = written(tmp_path / "a", run(), "a")
    alone = written(tmp_path / "b", green(), "b") / "journal.jsonl"
    shards = read_shards([whole, alone])
    assert [(one.run, one.folder, len(one.entries)) for one in shards] == [
        ("a", whole, len(run())),
        ("b", tmp_path / "b", len(green())),
    ]


def test_journals_of_one_run_are_one_shard(tmp_path: Path) -> None:
    folder = written(tmp_path, run()[:5], "a")
    written(folder, run()[5:], "a", "gw0")
    files = [folder / "journal-gw0.jsonl", folder / "journal.jsonl"]
    (one,) = read_shards(files)
    assert len(one.entries) == len(run())


def test_what_is_given_twice_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, green(), "a")
    for places in ([folder, folder], [folder, folder / "journal.jsonl"]):
        with pytest.raises(ReportError, match="the journal of main in run a was given twice"):
            read_shards(places)


def test_an_empty_journal_is_a_run_that_was_cut(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b'{"torn')
    (member,) = members_of(merged(read_shards([tmp_path]), {}))
    assert member.case.klass == "INTERRUPTED"
    assert member.case.test == f"run::ending[{tmp_path.name}]", "as all runs are called"


def test_a_place_without_a_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no journal in"):
        read_shards([tmp_path])
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_shards([tmp_path / "journal.jsonl"])


def test_red_cases_keep_the_files_of_their_own_run(tmp_path: Path) -> None:
    shards = read_shards(
        [written(tmp_path / "a", run(), "a"), written(tmp_path / "b", green(), "b")]
    )
    found = {m.case.test: m.attached for m in members_of(merged(shards, {}))}
    assert found[DAMAGED] == found[BROKEN] == (str(tmp_path / "a" / "journal.jsonl"),)
    assert found[MAPPED] == ()


@pytest.mark.parametrize("order", [1, -1])
def test_a_test_that_was_flaky_in_one_run_is_so_in_all(order: int) -> None:
    runs = [of_run(tried("PASS"), "a"), of_run(tried("FAIL", "PASS", asked=2), "b")][::order]
    (suite,) = merged([Shard(e[0].run, Path(), tuple(e)) for e in runs], {})
    assert [member.case.flaky for member in suite.members] == [True]
