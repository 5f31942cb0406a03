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
from collections.abc import Iterator
from contextlib import contextmanager
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


@pytest.fixture(scope="module")
def nodes_file() -> Iterator[str]:
    with up(TestbedSpec(rails=1)) as testbed:
        yield str(testbed.inventory_file)


class Shown:
    """A program on a terminal of its own: what it wrote, and when."""

    def __init__(self, command: list[str], folder: Path) -> None:
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
        self.words: list[tuple[float, str]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:  # the last of its writers is gone
                return
            self.words.append((time.time(), data.decode(errors="replace")))

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


def late(entries: list[Entry], one: Shown, within_s: float = SHOWN_S) -> list[str]:
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


def test_an_exchange_that_is_never_shown_is_named(tmp_path: Path, nodes_file: str) -> None:
    command = pytest_command(tmp_path, nodes_file, "-n", "2", "--hil-live", "off")
    with shown(command, tmp_path) as one:
        assert one.end() == 0, one.text
    named = late(read_run(own_folder(tmp_path)), one)
    assert (
        len([line for line in named if line.endswith("after inf s")]) >= 2
    )  # the summary names the largest


@pytest.fixture
def run(tmp_path: Path, nodes_file: str) -> Iterator[subprocess.Popen[str]]:
    """A run of two workers without a terminal, whose first exchange has begun."""
    command = pytest_command(tmp_path, nodes_file, "-n", "2")
    environ = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environ | {"PYTHONPATH": str(PROJECT)}, stdout=out
        )
    try:
        deadline = time.monotonic() + RUN_S
        while not list(tmp_path.glob(JOURNALS)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.wait()


WATCH = [sys.executable, "-m", "harness", "watch"]


def test_watch_shows_exchanges_in_time_costs_little_and_ends_with_the_run(
    run: subprocess.Popen[str], tmp_path: Path
) -> None:
    with shown(WATCH, tmp_path) as one:
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


def test_a_watch_that_slept_is_late_and_says_by_how_much(
    run: subprocess.Popen[str], tmp_path: Path
) -> None:
    with shown(WATCH, tmp_path) as one:
        while not one.words:
            time.sleep(0.01)
        one.process.send_signal(signal.SIGSTOP)
        began_s = time.time()
        while not any("ExchangePlanned" in j.read_text() for j in tmp_path.glob(JOURNALS)):
            time.sleep(0.01)
        time.sleep(STOPPED_S)
        one.process.send_signal(signal.SIGCONT)
        run.wait(RUN_S)
        one.end()
    entries = [e for e in read_run(own_folder(tmp_path)) if e.wall_s > began_s]
    assert any(re.search(r"after [1-9]\.\d+ s|after inf s", line) for line in late(entries, one))


def test_a_run_that_is_killed_is_named_and_ctrl_c_leaves_cleanly(
    run: subprocess.Popen[str], tmp_path: Path
) -> None:
    with shown(WATCH, tmp_path) as first, shown(WATCH, tmp_path) as second:
        while not (first.words and second.words):
            time.sleep(0.01)
        first.process.send_signal(signal.SIGINT)
        assert first.end() == 130
        assert "Traceback" not in first.text
        assert run.poll() is None, "watching is not running"
        run.kill()
        assert second.end() == 1
    assert re.search(r"run \S+ died: it has no end and nobody writes it", second.text)


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
