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

from harness.errors import HarnessError, PeerGoneError, RoleError, StallError
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
        plan, work, heard=told.append, turn=lambda: told.append("turn"), left_s=lambda: left_s
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


def test_a_member_that_is_killed_is_told_of() -> None:
    def work(member: Member) -> None:
        if member.channels[0] == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(LEFT_S)

    with pytest.raises(RoleError, match="killed"):
        run(LARGE, work)


def test_a_silent_crew_is_ended_at_the_deadline() -> None:
    with pytest.raises(StallError, match="4 processes of the crew are silent"):
        run(LARGE, lambda member: time.sleep(LEFT_S), left_s=0.1)


def test_an_error_of_the_roles_turn_ends_the_crew() -> None:
    def turn() -> None:
        raise HarnessError("the peer did not answer")

    crew = Crew(LARGE, lambda m: m.turn(), heard=print, turn=turn, left_s=lambda: LEFT_S)
    before = children()
    with pytest.raises(HarnessError, match="did not answer"):
        crew.run()
    assert children() == before


DIES = """
import os, sys, time
from harness.plan import MIB, Plan
from harness.roles import crew
os.sched_getaffinity = lambda _: {0, 1}
plan = Plan(channels=2, size_bytes=64 * MIB)
def work(member):
    member.tell(os.getpid())
    time.sleep(60)
crew.Crew(
    plan, work, heard=lambda pid: print(pid, flush=True), turn=print, left_s=lambda: 60.0
).run()
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
