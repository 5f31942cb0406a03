"""What people said of a baseline survives its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import EvidenceError
from harness.history import Key
from harness.regression.known import Acknowledged, Adopted, Known, read, said_file, say

KEY = Key(fingerprint="new", plan="p", metric="gb_s", subject="eth2")
STEP = Acknowledged(run="r7", at_s=7.0, subject="eth*", metric="gb_s", reason="new cable")
OLD = Adopted(source="old", target="new", at_s=9.0, reason="only the kernel's patch level")


def test_what_is_said_is_read_back_in_its_order(tmp_path: Path) -> None:
    file = said_file(tmp_path / "kept" / "history.sqlite")
    assert read(file) == Known()
    say(file, STEP)
    say(file, OLD)
    assert read(file) == Known((STEP, OLD))
    assert [line.partition(":")[2] for line in read(file).told()] == [
        " new cable",
        " only the kernel's patch level",
    ]


def test_an_acknowledged_change_covers_what_it_names() -> None:
    known = Known((STEP,))
    assert known.since_s(KEY) == 7.0
    assert known.since_s(Key(fingerprint="", plan="", metric="gb_s", subject="4 channels")) == 0.0
    assert known.since_s(Key(fingerprint="", plan="", metric="iteration_s", subject="eth2")) == 0.0


def test_an_adopted_testbed_counts_for_its_target_alone() -> None:
    known = Known((OLD,))
    assert known.sources("new") == ("new", "old")
    assert known.sources("old") == ("old",)
    assert (known.vouched_s("new"), known.vouched_s("old")) == (9.0, 0.0)


@pytest.mark.parametrize("line", ["{", "[]", '{"kind": "guessed"}', '{"kind": "adopted"}'])
def test_a_line_of_somebody_else_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "baseline.jsonl"
    say(file, STEP)
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(EvidenceError, match=r"baseline.jsonl:2: not what `baseline` writes"):
        read(file)
