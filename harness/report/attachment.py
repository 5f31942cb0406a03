"""Files of a run that CI systems hang on its red cases.

Jenkins and GitLab both look for `[[ATTACHMENT|path]]` in what a case printed: Jenkins wants the
path absolute, GitLab relative to $CI_PROJECT_DIR, and takes the first one only. So the page comes
first, then the journals that have the test's evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.report.case import Case
from harness.report.exchanges import Told
from harness.report.suite import Attach

OPENING = "[[ATTACHMENT|"
FIRST = ("index.html", "verdict.json", "journal.jsonl")


def attach(folder: Path, environ: Mapping[str, str]) -> Attach:
    """Which files of `folder` a case gets."""
    root = environ.get("CI_PROJECT_DIR", "")

    def files(case: Case, told: Sequence[Told]) -> list[str]:
        workers = dict.fromkeys(one.seen.worker for one in told)
        names = [*FIRST, *(f"journal-{worker}.jsonl" for worker in workers)]
        return [_path(folder / name, root) for name in names if (folder / name).exists()]

    return files


def line(path: str) -> str:
    return f"{OPENING}{path}]]"


def spoken(words: str) -> str:
    """What somebody else said, who may not have any file of the CI system's attached."""
    return words.replace(OPENING, OPENING[1:])


def _path(file: Path, root: str) -> str:
    whole = file.resolve()
    inside = bool(root) and whole.is_relative_to(Path(root).resolve())
    return str(whole.relative_to(Path(root).resolve()) if inside else whole)
