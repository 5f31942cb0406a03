"""A crew shares out channels, tells the role everything, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import CrashError, HarnessError, PeerGoneError, StallError
from harness.plan import MIB, Fault, Plan
from harness.roles.crew import BYTES_A_MEMBER, Crew, Member, size_of

LARGE = Plan(channels=5, size_bytes=64 * MIB, iterations=64)
SMALL = Plan(channels=5, size_bytes=1 * MIB)
LEFT_S = 10.0


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4))


def run(plan: Plan, work: Callable[[Member], None], left_s: float = LEFT_S) -> list[Any]:
    """What a crew tells, with "turn" where the role has its turn."""
    told: list[Any] = []
    crew = Crew(
        size_of(plan),
        plan.channels,
        work,
        heard=told.append,
        turn=lambda: told.append("turn"),
        left_s=lambda: left_s,
    )
    before = children()
    try:
        crew.run()
    finally:
        assert children() == before
    return told


def children() -> set[int]:
    """Of this process, zombies too."""
    return {child.pid for child in psutil.Process().children()}


@pytest.mark.parametrize(
    ("plan", "size"),
    [
        (SMALL, 1),
        (LARGE, 4),
        (replace(LARGE, channels=3), 3),
        (replace(LARGE, distribution="least-loaded"), 1),
        (replace(LARGE, channels=64), 4),
        (Plan(channels=4, size_bytes=2 * BYTES_A_MEMBER), 2),
        (replace(LARGE, faults=(Fault(kind="die", chunk=1),)), 1),
        (replace(LARGE, faults=(Fault(kind="hang", chunk=1),)), 1),
    ],
)
def test_a_crew_is_as_large_as_cores_channels_and_bytes_are_worth(plan: Plan, size: int) -> None:
    assert size_of(plan) == size


@pytest.mark.parametrize("plan", [SMALL, LARGE], ids=["alone", "forked"])
def test_every_channel_has_one_member(plan: Plan) -> None:
    told = run(plan, lambda member: member.tell((os.getpid(), list(member.channels))))
    assert sorted(channel for _, channels in told for channel in channels) == [0, 1, 2, 3, 4]
    pids = {pid for pid, _ in told}
    assert len(pids) == size_of(plan)
    assert (os.getpid() in pids) == (plan is SMALL)


def test_members_are_not_taken_off_their_core_by_a_wake_up() -> None:
    told = run(LARGE, lambda member: member.tell(os.sched_getscheduler(0)))
    assert set(told) == {os.SCHED_BATCH}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize("plan", [SMALL, LARGE], ids=["alone", "forked"])
def test_a_turn_is_taken_when_all_members_have_come(plan: Plan) -> None:
    def work(member: Member) -> None:
        for word in ("before", "between", "after"):
            time.sleep(0.02 * member.channels[0])
            member.tell(word)
            if word != "after":
                member.turn()

    size = size_of(plan)
    told = run(plan, work)
    assert told == ["before"] * size + ["turn"] + ["between"] * size + ["turn"] + ["after"] * size


def test_a_members_error_is_the_roles_with_its_channel_and_place() -> None:
    def work(member: Member) -> None:
        if 2 in member.channels:
            raise StallError("no progress", channel=2, where="eth3", expected="some")
        time.sleep(LEFT_S)

    started_s = time.monotonic()
    with pytest.raises(StallError, match=r"channel 2: eth3: no progress; expected some") as caught:
        run(LARGE, work)
    assert caught.value.channel == 2
    assert time.monotonic() - started_s < LEFT_S / 2


def test_a_lost_peer_is_never_the_cause_if_there_is_another() -> None:
    def work(member: Member) -> None:
        if member.channels[0] == 0:
            raise PeerGoneError("gone")
        time.sleep(0.1)
        member.tell("still here")
        raise StallError("the cause", channel=member.channels[0])

    with pytest.raises(StallError, match="the cause"):
        run(LARGE, work)


def test_of_several_stalls_the_earliest_silence_is_the_cause() -> None:
    def work(member: Member) -> None:
        stall = StallError("no progress", channel=member.channels[0])
        stall.since_s = 100.0 - member.channels[0]
        raise stall

    with pytest.raises(StallError) as caught:
        run(LARGE, work)
    assert caught.value.channel == 3


def test_a_bug_in_a_member_is_told_with_its_trace() -> None:
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError"):
        run(LARGE, lambda member: member.tell(1 // 0))


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
        (lambda: os._exit(3), "ended with 3"),
    ],
    ids=["signal", "exit"],
)
def test_a_member_that_ends_without_a_word_is_named(end: Callable[[], None], how: str) -> None:
    def work(member: Member) -> None:
        if member.channels[0] == 0:
            end()
        time.sleep(LEFT_S)

    with pytest.raises(CrashError, match=rf"process \d+ of channels 0, 4 was {how}") as caught:
        run(LARGE, work)
    assert caught.value.channel == 0


def test_a_member_that_is_killed_while_the_others_take_their_turn_is_named() -> None:
    def work(member: Member) -> None:
        member.turn()
        if member.channels[0] == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        member.turn()

    with pytest.raises(CrashError, match="channel 1 was killed by SIGKILL"):
        run(LARGE, work)


def test_a_silent_member_is_named_at_the_deadline_and_one_at_the_turn_is_not() -> None:
    def work(member: Member) -> None:
        if member.channels[0] == 2:
            time.sleep(LEFT_S)
        member.turn()

    with pytest.raises(StallError, match=r"process \d+ of channel 2 is silent") as caught:
        run(LARGE, work, left_s=0.1)
    assert caught.value.channel == 2


def test_a_hung_member_is_the_cause_though_another_gave_up_at_the_deadline() -> None:
    def work(member: Member) -> None:
        if member.channels[0] == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(0.2)
        stall = StallError("the echo", channel=member.channels[0])
        stall.since_s = time.monotonic()
        raise stall

    with pytest.raises(StallError, match=r"channel 2 is silent"):
        run(LARGE, work, left_s=0.3)


def test_the_grace_ends_though_others_go_on_talking() -> None:
    def work(member: Member) -> None:
        if member.channels[0] == 0:
            raise StallError("the cause")
        while True:
            member.tell("word")

    started_s = time.monotonic()
    with pytest.raises(StallError, match="the cause"):
        run(LARGE, work)
    assert time.monotonic() - started_s < LEFT_S / 2


def test_an_error_that_cannot_be_sent_is_told_with_its_trace() -> None:
    def work(member: Member) -> None:
        error = HarnessError("half of a sentence")
        error.where = lambda: None  # type: ignore[assignment]
        raise error

    with pytest.raises(RuntimeError, match="half of a sentence"):
        run(LARGE, work)


def test_a_member_that_may_not_choose_its_class_works_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    assert sorted(run(LARGE, lambda member: member.tell(member.channels[0]))) == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [1, 2])
def test_cpu_time_is_of_the_role_and_of_all_members(size: int) -> None:
    def work(member: Member) -> None:
        until_s = time.process_time() + 0.2
        while time.process_time() < until_s:
            pass

    crew = Crew(size, 2, work, heard=print, turn=print, left_s=lambda: LEFT_S)
    crew.run()
    assert 0.2 * size <= crew.cpu_s < 0.2 * size + 0.2
    assert (crew.own_cpu_s > 0) == (size > 1)


def test_an_error_of_the_roles_turn_ends_the_crew() -> None:
    def turn() -> None:
        raise HarnessError("the peer did not answer")

    crew = Crew(4, 5, lambda m: m.turn(), heard=print, turn=turn, left_s=lambda: LEFT_S)
    before = children()
    with pytest.raises(HarnessError, match="did not answer"):
        crew.run()
    assert children() == before


DIES = """
import os, time
from harness.roles.crew import Crew
def work(member):
    member.tell(os.getpid())
    time.sleep(60)
said = lambda pid: print(pid, flush=True)
Crew(2, 2, work, heard=said, turn=print, left_s=lambda: 60.0).run()
"""


def test_members_die_with_a_role_that_is_killed() -> None:
    role = subprocess.Popen([sys.executable, "-c", DIES], stdout=subprocess.PIPE, text=True)
    assert role.stdout is not None
    with role.stdout:
        pids = [int(role.stdout.readline()) for _ in range(2)]
        role.kill()
        role.wait()
    until_s = time.monotonic() + LEFT_S
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < until_s, f"{pids} outlived their role"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether it is there and not a zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
