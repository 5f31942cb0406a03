from __future__ import annotations

from pathlib import Path

from harness.facts import Sheet


def test_what_is_told_is_text() -> None:
    sheet = Sheet()
    sheet.tell("a", 1)
    assert (sheet.facts, sheet.unknown) == ({"a": "1"}, {})


def test_what_cannot_be_read_is_unknown_with_the_systems_reason(tmp_path: Path) -> None:
    sheet = Sheet()
    sheet.read("a", str(tmp_path / "gone"))
    assert sheet.facts == {}
    assert sheet.unknown == {"a": "No such file or directory"}


def test_an_answer_that_is_none_is_unknown_with_its_own_reason() -> None:
    def question() -> str:
        raise ValueError("the driver does not say")

    sheet = Sheet()
    sheet.ask("a", question)
    assert sheet.unknown == {"a": "the driver does not say"}


def test_a_files_text_is_told_without_its_newline(tmp_path: Path) -> None:
    (tmp_path / "mtu").write_text("9000\n")
    sheet = Sheet()
    sheet.read("mtu", str(tmp_path / "mtu"))
    assert sheet.facts == {"mtu": "9000"}
