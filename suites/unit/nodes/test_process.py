"""What one hears of a process goes to its queue, the last word always."""

from __future__ import annotations

from queue import Full, Queue
from typing import Any

import pytest

from harness.evidence import RoleExited
from harness.nodes import Event, Exited, Line, Process

RECORD = RoleExited(node="alpha", role="r", code=0, reason="exited")


class Asked:
    """Writes down the requests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, op: str, **fields: Any) -> dict[str, Any]:
        self.requests.append((op, fields))
        return {}


def process(size: int = 0) -> tuple[Process, Queue[Event], Asked]:
    events: Queue[Event] = Queue(size)
    asked = Asked()
    return Process("r", "alpha", events, asked), events, asked


def test_last_word_takes_the_oldest_place_in_a_full_queue() -> None:
    it, events, _ = process(2)
    it.heard("out", "one", 1.0)
    it.heard("out", "two", 2.0)
    it.ended(RECORD)
    first, last = events.get(), events.get()
    assert isinstance(first, Line)
    assert first.text == "two"
    assert last == Exited(process="r", node="alpha", record=RECORD)


def test_line_for_a_full_queue_is_not_dropped_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.nodes.process.TAKEN_S", 0.01)
    it, _, _ = process(1)
    it.heard("out", "one", 1.0)
    with pytest.raises(Full):
        it.heard("out", "two", 2.0)


def test_nothing_is_asked_for_the_dead() -> None:
    it, _, asked = process()
    it.send("hello")
    it.ended(RECORD)
    it.send("more")
    it.close_stdin()
    assert it.stop() == RECORD
    assert asked.requests == [("send", {"name": "r", "data": "hello\n"})]
