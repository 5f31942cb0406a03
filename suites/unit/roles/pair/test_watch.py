"""The controller's side of an observer: it is asked, it answers, its death is told."""

from __future__ import annotations

import json

import pytest

from harness.errors import DeadlineError, LeashError
from harness.evidence import NicCounters, Note, Record
from harness.roles.pair import Watch
from harness.roles.pair import watch as watch_module
from suites.unit.roles.pair.stage import Actor, Play, Stage, silent

READING = NicCounters(node="a", phase="idle", at_s=1.0, nics=())


def obedient(actor: Actor, line: str) -> None:
    """Answers as the observer does."""
    command = json.loads(line)
    word = {"begin": "observing", "end": "observed"}[command["op"]]
    actor.says(READING, Note(text=f"{word} {command['exchange']}"))


def watched(play: Play) -> tuple[Watch, Actor, list[Record]]:
    stage = Stage("a", {"observer": play})
    watch = Watch(stage)  # type: ignore[arg-type]
    return watch, stage.actors["observer"], []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "ANSWER_S", 0.1)


def test_the_observer_is_told_which_nics_are_data_and_which_is_management() -> None:
    _, actor, _ = watched(obedient)
    arguments = ("a", "eth1", "eth0")
    assert actor.command == ("python3", "-m", "harness.roles.observer", *arguments)
    assert actor.env == {"PYTHONPATH": "/code"}


def test_an_exchange_is_framed_by_two_commands() -> None:
    watch, actor, written = watched(obedient)
    watch.begin("x1")
    watch.begun("x1", written.append)
    assert [type(record) for record in written] == [NicCounters, Note]
    watch.end("x1")
    watch.ended("x1", written.append)
    assert [json.loads(line) for line in actor.told] == [
        {"op": "begin", "exchange": "x1"},
        {"op": "end", "exchange": "x1"},
    ]
    assert [record.text for record in written if isinstance(record, Note)] == [
        "observing x1",
        "observed x1",
    ]


def test_the_observer_is_told_which_gpus_to_read() -> None:
    watch, actor, _ = watched(obedient)
    watch.begin("x1", [0, 3])
    assert json.loads(actor.told[0]) == {"op": "begin", "exchange": "x1", "gpus": [0, 3]}


def test_what_it_says_in_between_is_handed_on_without_waiting() -> None:
    watch, actor, written = watched(silent)
    watch.drain(written.append)
    assert written == []
    actor.says(READING, READING)
    watch.drain(written.append)
    assert written == [READING, READING]


@pytest.mark.usefixtures("impatient")
def test_another_exchanges_answer_is_none() -> None:
    watch, _, written = watched(lambda actor, line: actor.says(Note(text="observing x0")))
    watch.begin("x1")
    with pytest.raises(DeadlineError, match="a: the observer did not say 'observing x1' within"):
        watch.begun("x1", written.append)
    assert written == [Note(text="observing x0")]


@pytest.mark.parametrize("line", ["Warning: 3 CPUs", "17", "{}"])
def test_what_is_no_record_becomes_a_note(line: str) -> None:
    def chatty(actor: Actor, told: str) -> None:
        actor.says(line)
        obedient(actor, told)

    watch, _, written = watched(chatty)
    watch.begin("x1")
    watch.begun("x1", written.append)
    assert written[0] == Note(text=line, node="a", role="observer")


@pytest.mark.usefixtures("impatient")
def test_words_on_stdout_are_no_answer() -> None:
    watch, _, written = watched(lambda actor, line: actor.says("observing x1"))
    watch.begin("x1")
    with pytest.raises(DeadlineError):
        watch.begun("x1", written.append)


@pytest.mark.usefixtures("impatient")
def test_a_silent_observer_is_named_with_what_it_said_on_stderr() -> None:
    watch, _, written = watched(lambda actor, line: actor.complains("no netlink here"))
    watch.begin("x1")
    with pytest.raises(DeadlineError, match="no netlink here"):
        watch.begun("x1", written.append)
    assert written == []


@pytest.mark.parametrize("how", ["begin", "drain"])
def test_an_observer_that_ended_is_named_at_once(how: str) -> None:
    def end(actor: Actor, line: str) -> None:
        actor.exits(1, stderr="Traceback: no psutil")

    watch, actor, written = watched(end)
    if how == "drain":
        end(actor, "")
    else:
        watch.begin("x1")
    with pytest.raises(LeashError) as caught:
        watch.begun("x1", written.append) if how == "begin" else watch.drain(written.append)
    assert str(caught.value).startswith("a: the observer ended (exited, code 1)")
    assert "no psutil" in str(caught.value)
