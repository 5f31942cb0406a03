"""A role's words reach whom they are meant for: records the controller, sentences people."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.evidence import Note, Progress, RoleFailed, decode
from harness.roles.voice import SIGN_OF_LIFE_S, Voice

END_S = 20.0
LIVE = """
import time
from harness.roles.voice import Voice
voice = Voice(node="a", role="server", by_hand=False)
moved = iter(range(0, 1000, 10))
voice.live(lambda: next(moved), 500)
time.sleep(0.6)
"""
Said = Callable[[], tuple[str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: tuple(capsys.readouterr())


def test_under_a_leash_records_are_lines_on_stdout_and_sentences_go_to_stderr(said: Said) -> None:
    voice = Voice(node="a", role="server", by_hand=False)
    voice.record(Note(text="two\nlines → one"))
    voice.say("hello")
    out, err = said()
    assert err == "hello\n"
    assert out.count("\n") == 1
    assert decode(json.loads(out)) == Note(text="two\nlines → one")


def test_by_hand_sentences_go_to_stdout_and_records_nowhere(said: Said) -> None:
    voice = Voice(node="a", role="server", by_hand=True)
    voice.record(Note(text="x"))
    voice.say("hello")
    assert said() == ("hello\n", "")


def test_a_failure_is_told_to_both(said: Said) -> None:
    Voice(node="a", role="server", by_hand=False).failed("STALL", "no progress", channel=2)
    out, err = said()
    assert err == "[ERROR] STALL: no progress\n"
    failed = decode(json.loads(out))
    assert isinstance(failed, RoleFailed)
    assert (failed.node, failed.role, failed.klass) == ("a", "server", "STALL")
    assert (failed.message, failed.channel) == ("no progress", 2)
    assert failed.at_s > 0


def test_a_failure_by_hand_is_one_sentence(said: Said) -> None:
    Voice(node="a", role="server", by_hand=True).failed("STALL", "no progress")
    assert said() == ("[ERROR] STALL: no progress\n", "")


def test_lines_of_several_threads_stay_whole(said: Said) -> None:
    voice = Voice(node="a", role="server", by_hand=False)

    def speak(number: int) -> None:
        for _ in range(50):
            voice.record(Note(text=str(number) * 500))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(speak, range(8)))
    out, _ = said()
    texts = [decode(json.loads(line)).text for line in out.splitlines()]
    assert sorted(texts) == sorted(str(number) * 500 for number in range(8) for _ in range(50))


def test_signs_of_life_come_at_once_and_go_on_until_the_end() -> None:
    command = [sys.executable, "-c", LIVE]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=END_S, check=True)
    signs = [decode(json.loads(line)) for line in ran.stdout.splitlines()]
    assert [type(sign) for sign in signs] == [Progress] * len(signs)
    assert 2 <= len(signs) <= 0.6 / SIGN_OF_LIFE_S + 1
    assert [sign.bytes for sign in signs] == list(range(0, 10 * len(signs), 10))
    assert {(sign.node, sign.role, sign.of_bytes) for sign in signs} == {("a", "server", 500)}
