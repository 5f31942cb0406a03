"""The leash's parts that need no node: lines, trees, marks, the lock; and that it stands alone."""

from __future__ import annotations

import ast
import inspect
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from harness.nodes import leash
from harness.nodes.leash import (
    LINE_BYTES,
    STREAM_BYTES,
    Lease,
    Seen,
    Stream,
    abandoned,
    descendants,
    mark_of,
    processes,
    stat,
)


def test_program_needs_nothing_but_python_3_8() -> None:
    tree = ast.parse(inspect.getsource(leash), feature_version=(3, 8))
    modules = {
        name.split(".")[0]
        for part in ast.walk(tree)
        for name in (
            [alias.name for alias in part.names]
            if isinstance(part, ast.Import)
            else [part.module or "" if isinstance(part, ast.ImportFrom) else "os"]
        )
    }
    assert modules <= sys.stdlib_module_names


# -- lines -------------------------------------------------------------------------------------


def test_lines_come_whole_however_they_arrive() -> None:
    stream = Stream()
    text = b"one\n\ntw\xc3\xa9o\nlast"
    lines = [line for byte in text for line in stream.feed(bytes([byte]))]
    assert lines == ["one", "", "twéo"]
    assert stream.end() == ["last"]
    assert stream.end() == []


def test_no_byte_is_refused() -> None:
    lines = Stream().feed(bytes(range(256)) + b"\n")
    assert len(lines) == 2
    assert lines[0] == "".join(map(chr, range(10)))
    json.dumps(lines)


def test_long_line_is_cut_and_counted() -> None:
    stream = Stream()
    assert stream.feed(b"x" * LINE_BYTES) == []
    assert stream.feed(b"y" * 10) == []
    assert stream.feed(b"y\nnext\n") == ["x" * LINE_BYTES + " [11 bytes cut]", "next"]


def test_line_of_just_the_limit_is_not_cut() -> None:
    assert Stream().feed(b"x" * LINE_BYTES + b"\n") == ["x" * LINE_BYTES]


def test_long_stream_is_cut_and_every_byte_accounted_for() -> None:
    stream = Stream()
    piece, total, kept = (b"a" * 999 + b"\n") * 64, 0, 0
    while total < 2 * STREAM_BYTES:
        kept += sum(len(line) + 1 for line in stream.feed(piece))
        total += len(piece)
    assert kept + stream.cut == total
    assert STREAM_BYTES * 0.9 < kept < STREAM_BYTES * 1.1


def test_tail_is_the_end_of_the_stream() -> None:
    stream = Stream()
    stream.feed(b"x" * 10_000)
    stream.feed(b"the end")
    assert len(stream.tail) == leash.TAIL_BYTES
    assert stream.tail.endswith(b"xthe end")


# -- processes ---------------------------------------------------------------------------------


def seen(parent: int) -> Seen:
    return Seen("S", parent, 1, "0")


def test_descendants_are_found_at_any_depth() -> None:
    live = {2: seen(1), 3: seen(2), 4: seen(3), 5: seen(1), 6: seen(9)}
    assert descendants(live, 2) == {3, 4}
    assert descendants(live, 1) == {2, 3, 4, 5}
    assert descendants(live, 7) == set()


def test_own_process_is_seen_and_never_a_victim() -> None:
    me = stat(os.getpid())
    assert me is not None
    assert me.parent == os.getppid()
    assert me.session == os.getsid(0)
    assert os.getpid() not in processes()
    assert stat(2**22 + 1) is None


def test_mark_of_whoever_has_none_is_empty() -> None:
    assert mark_of(os.getpid()) == ""


def test_only_marks_of_dead_leashes_here_are_abandoned() -> None:
    me = stat(os.getpid())
    assert me is not None
    assert not abandoned(f"7:{os.getpid()}:{me.started}:1", "7")  # it lives
    assert abandoned(f"7:{os.getpid()}:{me.started}0:1", "7")  # another one had that number
    assert abandoned("7:4194305:1:1", "7")  # nobody has it
    assert not abandoned("8:4194305:1:1", "7")  # in another PID namespace, who knows
    assert not abandoned("", "7")
    assert not abandoned("7:x:1:1", "7")


# -- the lease ---------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lease")


def test_second_holder_is_told_who_the_first_is(path: str) -> None:
    first, second = Lease(path), Lease(path)
    assert first.take("one") is None
    told = json.loads(second.take("two") or "")
    assert (told["owner"], told["pid"]) == ("one", os.getpid())
    first.release()
    assert second.take("two") is None
    assert json.loads(Path(path).read_text())["owner"] == "two"
    second.release()
    assert Path(path).read_text() == ""


def test_release_without_lease_does_nothing(path: str) -> None:
    Lease(path).release()
    assert not Path(path).exists()


def test_any_user_may_lock_it(path: str) -> None:
    before = os.umask(0o077)
    try:
        Lease(path).take("me")
    finally:
        os.umask(before)
    assert os.stat(path).st_mode & 0o777 == 0o666


def test_link_is_not_followed(path: str, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    os.symlink(tmp_path / "precious", path)
    with pytest.raises(OSError, match="symbolic links"):
        Lease(path).take("me")
    assert (tmp_path / "precious").read_text() == "keep"


def test_death_of_the_holder_frees_it(path: str) -> None:
    pid = os.fork()
    if pid == 0:
        Lease(path).take("child")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert "child" in Path(path).read_text()
    assert Lease(path).take("me") is None
