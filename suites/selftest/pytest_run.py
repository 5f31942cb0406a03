"""One run of pytest in a process of its own: how it is started, and the files that it leaves.

The run leads a process group of its own, so that a signal can reach all of it as Ctrl-C does, and
works in a folder of its own, so that whatever it writes there can be seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.evidence import Entry, read_run
from suites.selftest.test_testbed import HEEDING, Controller

PROJECT = Path(__file__).parents[2]
CATEGORIES = ("failure", "error", "skipped")
POLL_S = 0.02
REPORT_S = 60.0
OTHERS = ("HIL_", "PYTEST_", "GITHUB_")  # variables that would make it another run


@dataclass(frozen=True)
class Case:
    """A test case of a JUnit file; no category means that it passed."""

    category: str
    klass: str
    message: str


@dataclass(frozen=True)
class PytestRun:
    """Where a run lives. `options` come after the ones that every run gets."""

    folder: Path
    options: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()  # a command that execs what follows it

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def cwd(self) -> Path:
        return self.folder / "cwd"

    @property
    def theirs(self) -> Path:
        """Pytest's own JUnit file."""
        return self.folder / "pytest.xml"

    @property
    def own_folder(self) -> Path:
        """The run's folder among its reports."""
        (found,) = self.reports.iterdir()
        return found

    def command(self) -> list[str]:
        own = ["-p", "no:cacheprovider", "--hil-reports", str(self.reports)]
        own += ["--junitxml", str(self.theirs)]
        own += ["--basetemp", str(self.folder / "pytest")]  # which pytest keeps, as it should
        return [*HEEDING, *self.wrapper, sys.executable, "-m", "pytest", *own, *self.options]

    def start(self) -> Controller:
        """Begin; every process that comes of it carries a mark in its environment."""
        self.cwd.mkdir(exist_ok=True)
        mark = uuid.uuid4().hex
        with (self.folder / "out").open("w") as out:
            process = subprocess.Popen(
                self.command(),
                cwd=self.cwd,
                env=self._environment() | {"HIL_TEST_MARK": mark},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        return Controller(process, f"HIL_TEST_MARK={mark}")

    def finish(self, within_s: float) -> int:
        """Run to the end; the exit code."""
        with self.running() as controller:
            return controller.process.wait(within_s)

    @contextmanager
    def running(self) -> Iterator[Controller]:
        controller = self.start()
        try:
            yield controller
        finally:
            controller.process.kill()
            controller.process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
        return kept | {
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.variables,
        }

    # -- what it leaves ------------------------------------------------------------------------

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def entries(self) -> list[Entry]:
        return read_run(self.own_folder)

    def ours(self) -> dict[str, Case]:
        return cases(self.own_folder / "junit.xml")

    def await_record(self, kind: str, controller: Controller, within_s: float) -> None:
        """Until a record of this kind is in a journal, be it a worker's."""
        deadline = time.monotonic() + within_s
        while not any(f'"type":"{kind}"' in file.read_text() for file in self.journals()):
            running = controller.process.poll() is None and time.monotonic() < deadline
            assert running, f"no {kind} within {within_s} s\n{self.said()}"
            time.sleep(POLL_S)

    def journals(self) -> list[Path]:
        """One a process, none when the run had not begun yet."""
        return list(self.reports.glob("*/journal*.jsonl"))


def suite(*options: str) -> tuple[str, ...]:
    """Options of a run of this project's own suites, from any working directory."""
    return ("-c", str(PROJECT / "tox.ini"), "--rootdir", str(PROJECT), *options)


def small_project(folder: Path, test_file: str) -> tuple[str, ...]:
    """Make a project of one test file that uses our plugin; options to run it."""
    folder.mkdir()
    (folder / "conftest.py").write_text('pytest_plugins = ["fixtures.plugin"]\n')
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = hardware\n")
    (folder / "test_small.py").write_text(test_file)
    return ("-c", str(folder / "pytest.ini"), "--rootdir", str(folder), str(folder))


def cases(file: Path) -> dict[str, Case]:
    """A JUnit file's cases by `classname.name`; a name that comes twice is an error."""
    found = {}
    for element in ET.parse(file).iter("testcase"):
        name = f"{element.get('classname')}.{element.get('name')}"
        assert name not in found, f"{name} is twice in {file}"
        bad = next((child for child in element if child.tag in CATEGORIES), None)
        found[name] = Case("", "", "") if bad is None else _case(bad)
    return found


def _case(bad: ET.Element) -> Case:
    return Case(bad.tag, bad.get("type", ""), bad.get("message", ""))


def categories(found: dict[str, Case]) -> dict[str, str]:
    return {name: case.category for name, case in found.items()}


def make_report(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`python -m harness report FOLDER`."""
    return subprocess.run(
        [sys.executable, "-m", "harness", "report", str(folder), *options],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=REPORT_S,
        check=False,
    )
