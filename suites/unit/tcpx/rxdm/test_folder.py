"""What a killed stand-in leaves behind, the next one removes; nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.tcpx.rxdm.folder import YOUNG_S, Folder
from harness.tcpx.rxdm.stand_in import StandIn

LIVES = """
import time
from harness.tcpx.rxdm.stand_in import StandIn
print(StandIn(lambda *_: None).prefix, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def tmp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def aged(folder: str | Path) -> Path:
    since_s = Path(folder).stat().st_mtime - 2 * YOUNG_S
    os.utime(folder, (since_s, since_s))
    return Path(folder)


def test_the_folder_of_a_killed_stand_in_goes_with_the_next_one_and_a_living_ones_stays(
    tmp: Path,
) -> None:
    env = {**os.environ, "TMPDIR": str(tmp)}
    with subprocess.Popen(
        [sys.executable, "-c", LIVES], stdout=subprocess.PIPE, text=True, env=env
    ) as other:
        assert other.stdout is not None
        theirs = aged(other.stdout.readline().strip())
        StandIn(lambda *_: None).close()
        assert theirs.is_dir()
        other.send_signal(signal.SIGKILL)
    assert theirs.is_dir(), "a killed process removes nothing"
    StandIn(lambda *_: None).close()
    assert list(tmp.iterdir()) == []


def test_a_folder_that_is_just_being_made_is_nobodys_to_remove(tmp: Path) -> None:
    made = tmp / "rxdm-made"
    made.mkdir()
    Folder().remove()
    assert made.is_dir()
    aged(made)
    Folder().remove()
    assert not made.exists()


def test_a_folder_is_removed_once() -> None:
    folder = Folder()
    assert Path(folder.path).is_dir()
    folder.remove()
    folder.remove()
    assert not Path(folder.path).exists()
