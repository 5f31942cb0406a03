"""The live view of real runs: an exchange is shown within a second of its start, also under xdist,
and pytest's own output is what it would be without.

Runs are shown on a pseudo-terminal whose every word is kept with the time at which it came.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.evidence import Entry, ExchangePlanned, read_run
from harness.inventory import TestbedSpec
from harness.testbed import up
from suites.selftest.pytest_run import OTHERS, PROJECT, small_project
from suites.unit.live.screen import Screen

pytestmark = pytest.mark.selftest

SHOWN_S = 1.0
RUN_S = 90.0
STOPPED_S = 1.5
JOURNALS = "reports/*/journal*.jsonl"
COLUMNS, ROWS = 120, 40
CORE_SHARE = 0.01
THREE = """
from dataclasses import replace
import pytest

@pytest.mark.parametrize("number", range(3))
def test_moves(exchange, plan, number):
    exchange(replace(plan, size_bytes=16 << 20, iterations=3, channels=1))
"""
MANY = THREE.replace("range(3)", "range(30)")


@pytest.fixture(scope="module")
def nodes_file() -> Iterator[str]:
    with up(TestbedSpec(rails=1)) as testbed:
        yield str(testbed.inventory_file)


@dataclass
class Words:
    """What was written, and when."""

    words: list[tuple[float, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.words)

    def first(self, word: str) -> float:
        """When the word was first seen; never is infinitely late."""
        pattern, seen = re.compile(rf"\b{re.escape(word)}\b"), ""
        for at_s, text in self.words:
            seen = seen[-len(word) - 1 :] + text
            if pattern.search(seen):
                return at_s
        return float("inf")


class Shown(Words):
    """A program on a terminal of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        super().__init__()
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environ = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ | {"PYTHONPATH": str(PROJECT), "TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._fd = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:  # the last of its writers is gone
                return
            self.words.append((time.time(), data.decode(errors="replace")))

    def end(self) -> int:
        code = self.process.wait(RUN_S)
        self._reader.join(RUN_S)
        os.close(self._fd)
        return code


@contextmanager
def shown(command: list[str], folder: Path) -> Iterator[Shown]:
    one = Shown(command, folder)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def pytest_command(folder: Path, nodes: str, *options: str, tests: str = THREE) -> list[str]:
    project = small_project(folder / "project", tests)
    own = ["-p", "no:cacheprovider", "--hil-reports", str(folder / "reports")]
    return [sys.executable, "-m", "pytest", *own, *project, "--hil-nodes", nodes, *options]


def late(entries: list[Entry], one: Words, within_s: float = SHOWN_S) -> list[str]:
    """Exchanges that were not shown in time, and how late each was."""
    planned = [e for e in entries if isinstance(e.record, ExchangePlanned)]
    assert planned, "no exchange: nothing is measured"
    waits = {e.exchange: one.first(e.exchange) - e.wall_s for e in planned}
    print({name: round(wait_s, 3) for name, wait_s in waits.items()})
    return [f"{name} after {w:.3f} s" for name, w in waits.items() if not 0 <= w <= within_s]


def own_folder(folder: Path) -> Path:
    (found,) = (folder / "reports").iterdir()
    return found


@pytest.mark.parametrize("workers", ["0", "2"])
def test_pytest_shows_an_exchange_within_a_second_of_its_start(
    tmp_path: Path, nodes_file: str, workers: str
) -> None:
    with shown(pytest_command(tmp_path, nodes_file, "-n", workers), tmp_path) as one:
        assert one.end() == 0, one.text
    assert late(read_run(own_folder(tmp_path)), one) == []
    assert "moves data" in one.text
    assert re.search(r"node-[ab]  eth1 \d+\.\d{3} GB/s", one.text)
    left = left_on_the_screen(one)
    assert left[-1].startswith("=" * 10)
    assert not [line for line in left if re.search(r"^  (main|gw\d)-\d|^ +node-|silent", line)]
    assert sum(line.endswith("[100%]") for line in left) == 1


def left_on_the_screen(one: Shown) -> list[str]:
    """What a person sees when it is over."""
    screen = Screen(COLUMNS, ROWS)
    screen.write(one.text.replace("\r\n", "\n"))
    return [line for line in screen.text if line]


@contextmanager
def running(folder: Path, nodes: str, tests: str) -> Iterator[subprocess.Popen[str]]:
    """A run of two workers without a terminal that has begun."""
    command = pytest_command(folder, nodes, "-n", "2", tests=tests)
    environ = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environ | {"PYTHONPATH": str(PROJECT)}, stdout=out, text=True
        )
    try:
        until(lambda: bool(list(folder.glob(JOURNALS))), process)
        yield process
    finally:
        process.kill()
        process.wait()


def until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait, but not for a run that has ended."""
    deadline = time.monotonic() + RUN_S
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


WATCH = [sys.executable, "-m", "harness", "watch"]


def test_watch_shows_exchanges_in_time_costs_little_and_ends_with_the_run(
    nodes_file: str, tmp_path: Path
) -> None:
    with running(tmp_path, nodes_file, THREE) as run, shown(WATCH, tmp_path) as one:
        cpu_s = [(time.time(), used_s(one)) for _ in while_running(run)]
        assert run.wait(RUN_S) == 0, (tmp_path / "out").read_text()
        assert one.end() == 0, one.text
    entries = read_run(own_folder(tmp_path))
    began_s = one.words[0][0]
    seen = [e for e in entries if e.wall_s > began_s]  # not those before it looked
    assert late(seen, one) == []
    assert "verdict: PASS" in one.text
    watching = [(at_s, used) for at_s, used in cpu_s if at_s > began_s]
    (from_s, before_s), (to_s, after_s) = watching[0], watching[-1]
    share = (after_s - before_s) / (to_s - from_s)
    print(f"{share:.2%} of a core over {to_s - from_s:.1f} s")
    assert share < 2 * CORE_SHARE, "the kernel counts in hundredths of a second"
    assert "moves data" not in (tmp_path / "out").read_text(), "no terminal, nothing live"


def while_running(process: subprocess.Popen[str]) -> Iterator[None]:
    while process.poll() is None:
        yield
        time.sleep(0.05)


def used_s(one: Shown) -> float:
    """CPU of the process so far."""
    fields = Path(f"/proc/{one.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_watch_that_slept_is_late_ctrl_c_leaves_cleanly_and_a_killed_run_is_named(
    nodes_file: str, tmp_path: Path
) -> None:
    with (
        running(tmp_path, nodes_file, MANY) as run,
        shown(WATCH, tmp_path) as slept,
        shown(WATCH, tmp_path) as other,
    ):
        until(lambda: bool(slept.words and other.words), run)
        slept.process.send_signal(signal.SIGSTOP)
        began_s = time.time()
        until(lambda: any("ExchangePlanned" in j.read_text() for j in tmp_path.glob(JOURNALS)), run)
        time.sleep(STOPPED_S)
        slept.process.send_signal(signal.SIGCONT)
        # The first exchanges may have come and gone meanwhile: then they were never shown.
        until(lambda: bool(re.search(r"\bgw\d-\d", slept.text)), run)
        slept.process.send_signal(signal.SIGINT)
        assert slept.end() == 130
        assert "Traceback" not in slept.text
        assert run.poll() is None, "watching is not running"
        run.kill()
        assert other.end() == 1
    planned = [e for e in read_run(own_folder(tmp_path)) if e.wall_s > began_s]
    assert any(re.match(r"gw\d-1 after ([1-9]\.\d+|inf) s", line) for line in late(planned, slept))
    assert re.search(r"run \S+ died: it has no end and nobody writes it", other.text)


def test_without_a_terminal_lines_come_when_asked_for(tmp_path: Path, nodes_file: str) -> None:
    command = pytest_command(tmp_path, nodes_file, "-n", "2", "--hil-live", "on")
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(PROJECT)),
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    begun = re.findall(r"^\d\d:\d\d:\d\d gw\d-\d: transfer, ", ran.stdout, re.MULTILINE)
    assert len(begun) == 3, ran.stdout
    assert "\x1b[" not in ran.stdout
    assert "3 passed" in ran.stdout
    named = late(read_run(own_folder(tmp_path)), Words())
    assert len(named) == 3, "what was shown nowhere is named"
    assert all(line.endswith("after inf s") for line in named)
