"""Which files a red case gets, and how their paths read."""

from __future__ import annotations

from pathlib import Path

from harness.report import attach, suites
from harness.report.junit import junit
from suites.unit.report.run import DAMAGED, MAPPED, run
from suites.unit.report.shards import of_worker
from suites.unit.report.test_junit import address, cases_of


def said(entries, folder: Path, test: str, **environ: str) -> list[str]:
    text = junit(entries, attach=attach(folder, environ))
    spoken = cases_of(text)[address(test)].findtext("system-out", "")
    return [line for line in spoken.splitlines() if "ATTACHMENT" in line]


def folder_with(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).touch()
    return folder


def test_a_red_case_gets_the_page_and_the_journals_of_its_evidence(tmp_path: Path) -> None:
    names = ("index.html", "journal.jsonl", "journal-gw0.jsonl", "journal-gw1.jsonl", "junit.xml")
    folder = folder_with(tmp_path, *names)
    assert said(of_worker(run(), "gw1"), folder, DAMAGED) == [
        f"[[ATTACHMENT|{tmp_path}/index.html]]",
        f"[[ATTACHMENT|{tmp_path}/journal.jsonl]]",
        f"[[ATTACHMENT|{tmp_path}/journal-gw1.jsonl]]",
    ]


def test_they_stand_first_where_nothing_cuts_them_off(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "journal.jsonl")
    spoken = cases_of(junit(run(), attach=attach(folder, {})))[address(DAMAGED)]
    assert spoken.findtext("system-out", "").startswith("[[ATTACHMENT|")


def test_gitlab_wants_paths_from_its_projects_folder(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "run-1"
    folder.mkdir(parents=True)
    folder_with(folder, "journal.jsonl")
    lines = said(run(), folder, DAMAGED, CI_PROJECT_DIR=str(tmp_path))
    assert lines == ["[[ATTACHMENT|reports/run-1/journal.jsonl]]"]
    elsewhere = said(run(), folder, DAMAGED, CI_PROJECT_DIR=str(tmp_path / "other"))
    assert elsewhere == [f"[[ATTACHMENT|{folder}/journal.jsonl]]"]


def test_a_green_case_and_a_file_that_is_not_there_are_not_attached(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "journal.jsonl")
    assert said(run(), folder, MAPPED) == []
    assert said(run(), tmp_path / "nowhere", DAMAGED) == []
    assert all(m.attached == () for s in suites(run()) for m in s.members)
