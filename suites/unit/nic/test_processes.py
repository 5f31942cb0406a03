from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.nic.processes import FIRST_NAMESPACE, process, sees_all


def proc(folder: Path, pid: int, stat: str, status: str) -> Path:
    (folder / str(pid)).mkdir()
    (folder / str(pid) / "stat").write_text(stat)
    (folder / str(pid) / "status").write_text(status)
    return folder


def test_a_process_in_a_container_has_two_pids(tmp_path: Path) -> None:
    stat = "440 (a (b) c) S 438 440 410 0 -1 4194560\n"
    found = process(440, 7, proc(tmp_path, 440, stat, "Name:\tx\nNSpid:\t440\t1\n"))
    assert (found.pid, found.inner_pid, found.session) == (440, 1, 410)
    assert (found.name, found.memory_bytes) == ("a (b) c", 7)


def test_an_old_kernel_knows_one_pid(tmp_path: Path) -> None:
    found = process(9, None, proc(tmp_path, 9, "9 (x) R 1 9 9 0\n", "Name:\tx\n"))
    assert (found.inner_pid, found.memory_bytes) == (9, None)


def test_this_process_is_in_its_session() -> None:
    found = process(os.getpid(), 1)
    assert (found.session, found.name) == (os.getsid(0), Path("/proc/self/comm").read_text()[:-1])


def test_a_process_that_has_gone_is_its_pid_alone() -> None:
    found = process(999_999_999, 5)
    assert (found.pid, found.session, found.inner_pid, found.name) == (999_999_999, -1, -1, "")


@pytest.mark.parametrize(
    ("namespace", "seen"), [(FIRST_NAMESPACE, True), ("pid:[4026532800]", False)]
)
def test_only_the_machines_own_namespace_sees_all(
    tmp_path: Path, namespace: str, seen: bool
) -> None:
    (tmp_path / "self/ns").mkdir(parents=True)
    (tmp_path / "self/ns/pid").symlink_to(namespace)
    assert sees_all(tmp_path) == seen
    assert not sees_all(tmp_path / "nowhere")
