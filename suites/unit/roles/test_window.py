"""The window exercise over loopback: what channels hold and refuse is told as it is."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from harness.errors import StallError
from harness.evidence import Observed
from harness.plan import Plan
from harness.roles.window import STALLED, Others
from suites.unit.roles.ends import PLAN, Heard, clean

pytestmark = pytest.mark.usefixtures("memory")
WINDOW = replace(PLAN, exercise="window", claims=())


def seen(voice: Heard, subject: str) -> dict[int, int]:
    """What a role observed of each channel."""
    found = [each for each in voice.all(Observed) if each.subject == subject]
    assert {each.role for each in found} == {voice.role}
    return {each.channel: each.value for each in found}


@pytest.mark.parametrize("channels", [1, 3])
def test_every_channel_holds_16_and_refuses_the_17th(channels: int) -> None:
    for voice, word in zip(
        clean(replace(WINDOW, channels=channels)), ("recv", "send"), strict=True
    ):
        assert seen(voice, f"{word}_posted") == dict.fromkeys(range(channels), 16)
        assert seen(voice, f"{word}_refused") == dict.fromkeys(range(channels), 1)
        refusals = [e.detail for e in voice.all(Observed) if e.subject == f"{word}_refused"]
        assert all("unable to allocate requests" in refusal for refusal in refusals)


@pytest.mark.parametrize(("recv", "send"), [(16, 12), (8, 4), (3, 3)])
def test_windows_hold_what_the_plan_says(recv: int, send: int) -> None:
    server, client = clean(replace(WINDOW, recv_window=recv, send_window=send))
    assert seen(server, "recv_window") == {0: recv, 1: recv, 2: recv}
    assert seen(client, "send_window") == {0: send, 1: send, 2: send}


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_stalled_channel_does_not_hold_the_others(channels: int) -> None:
    plan = replace(WINDOW, channels=channels)
    server, _ = clean(plan)
    others = plan.chunks - plan.channel_chunks(STALLED)
    assert seen(server, "others_progressed") == {STALLED: others}
    (last,) = [each for each in server.all(Observed) if each.subject == "others_progressed"]
    assert last.detail == f"of {others}"


def test_a_message_smaller_than_a_probe_will_do() -> None:
    tiny = Plan(exercise="window", channels=2, size_bytes=5, chunk_bytes=3, deadline_s=10.0)
    server, client = clean(tiny)
    assert seen(server, "recv_posted") == seen(client, "send_posted") == {0: 16, 1: 16}


def test_others_that_make_no_progress_are_told() -> None:
    others = Others(3)
    others.one_more()
    with pytest.raises(StallError, match=r"the others did 1 chunks; expected 3 in 0\.0 s"):
        others.wait(0.01)


def test_the_wait_ends_with_the_last_of_the_others() -> None:
    others = Others(2)
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (others.wait(10.0), done.set()))
    waiting.start()
    others.one_more()
    assert not done.is_set()
    others.one_more()
    waiting.join(10.0)
    assert done.is_set()
    Others(0).wait(0.0)
