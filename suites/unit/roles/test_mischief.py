"""Planted faults do what they are said to do, and nothing is done where none is planted."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from harness.plan import Fault, Plan
from harness.plan.fault import KINDS
from harness.roles import mischief
from harness.tcpx import bootstrap, payload
from harness.tcpx.buffers import HostBuffers
from harness.tcpx.net.plugin import HANDLE_BYTES, NetHandle
from suites.unit.roles.ends import PLAN, Heard

HOST, NONCE = HostBuffers(), 77
CHUNK = 4
END_S = 20.0
HANDLES = [NetHandle(raw=bytes([number]) * HANDLE_BYTES) for number in (1, 2)]
STRIKE = """
import sys
import numpy as np
from harness.plan import Fault, Plan
from harness.roles import mischief
from harness.tcpx.buffers import HostBuffers
plan = Plan(faults=(Fault(kind=sys.argv[1], chunk=2),))
for chunk in range(3):
    print(chunk, flush=True)
    mischief.on_chunk(plan, HostBuffers(), np.zeros(8, np.uint8), chunk)
print("unharmed")
"""
# Where each kind is seen at work; those that need both roles are in test_receiver, test_client and
# test_endpoint.
ELSEWHERE = {"blind", "raw", "one_nic", "swap_nics", "loopback"}
HERE = {
    "flip": Fault(kind="flip", chunk=CHUNK, value=9),
    "swap": Fault(kind="swap", chunk=CHUNK, value=7),
    "stale": Fault(kind="stale", iteration=1, chunk=CHUNK),
    "zeros": Fault(kind="zeros"),
    "withhold": Fault(kind="withhold", chunk=CHUNK),
    "drop": Fault(kind="drop", chunk=CHUNK),
    "short": Fault(kind="short", value=CHUNK),
    "exit": Fault(kind="exit", value=9),
    "hang": Fault(kind="hang", chunk=2),
    "die": Fault(kind="die", chunk=2),
    "bootstrap_count": Fault(kind="bootstrap_count", value=65),
    "bootstrap_cut": Fault(kind="bootstrap_cut", value=100),
    "bootstrap_garbage": Fault(kind="bootstrap_garbage"),
}


def planted(kind: str) -> Plan:
    return replace(PLAN, iterations=2, faults=(HERE[kind],))


def others(kind: str) -> Plan:
    """Every fault but those of `kind`."""
    return replace(planted(kind), faults=tuple(f for f in HERE.values() if f.kind != kind))


@pytest.fixture
def wire() -> Iterator[tuple[bootstrap.Connection, socket.socket]]:
    """The server's end of a bootstrap connection, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        near = bootstrap.Connection(server.accept()[0])
    with near, far:
        yield near, far


def filled(plan: Plan, iteration: int, chunk: int) -> bytes:
    view = np.zeros(plan.chunk_size(chunk), np.uint8)
    mischief.fill(plan, HOST, view, NONCE, iteration, chunk)
    return view.tobytes()


def right(plan: Plan, iteration: int, chunk: int) -> bytes:
    place = payload.Place(iteration=iteration, channel=plan.channel_of(chunk), chunk=chunk)
    return bytes(payload.expected(NONCE, place, plan.chunk_size(chunk)))


def test_every_kind_is_seen_at_work_somewhere() -> None:
    assert HERE.keys() | ELSEWHERE == KINDS.keys()


def test_without_faults_everything_is_as_it_should_be(
    wire: tuple[bootstrap.Connection, socket.socket],
) -> None:
    near, far = wire
    assert mischief.hand_out(PLAN, near, HANDLES) is False
    near.close()
    assert far.recv(1) == b""
    assert mischief.chunks_to_receive(PLAN) == PLAN.chunks
    for chunk in range(PLAN.chunks):
        assert mischief.chunk_to_send(PLAN, chunk) == chunk
        assert filled(PLAN, 0, chunk) == right(PLAN, 0, chunk)
        view = np.arange(8, dtype=np.uint8)
        mischief.on_chunk(PLAN, HOST, view, chunk)
        assert view.tolist() == list(range(8))
    assert mischief.exit_status(PLAN, Heard("server")) == 0


@pytest.mark.parametrize("kind", ["flip", "stale"])
def test_a_fault_spoils_its_own_chunk_only(kind: str) -> None:
    plan = planted(kind)
    for iteration in range(2):
        for chunk in set(range(plan.chunks)) - {CHUNK}:
            assert filled(plan, iteration, chunk) == right(plan, iteration, chunk)


def test_flip_changes_one_byte() -> None:
    plan = planted("flip")
    pairs = zip(filled(plan, 0, CHUNK), right(plan, 0, CHUNK), strict=True)
    wrong = [(index, a ^ b) for index, (a, b) in enumerate(pairs) if a != b]
    assert wrong == [(9, 0x10)]


def test_stale_repeats_the_iteration_before() -> None:
    plan = planted("stale")
    assert filled(plan, 0, CHUNK) == right(plan, 0, CHUNK)
    assert filled(plan, 1, CHUNK) == right(plan, 0, CHUNK)


def test_swap_sends_two_chunks_in_each_others_place() -> None:
    plan = planted("swap")
    sent = [mischief.chunk_to_send(plan, place) for place in range(plan.chunks)]
    assert sent == [0, 1, 2, 3, 7, 5, 6, 4, 8, 9, 10]


def test_zeros_are_all_that_is_sent() -> None:
    plan = planted("zeros")
    for chunk in range(plan.chunks):
        assert not any(filled(plan, 1, chunk))


def test_withhold_sends_all_but_one() -> None:
    plan = planted("withhold")
    sent = [mischief.chunk_to_send(plan, place) for place in range(plan.chunks)]
    assert sent == [0, 1, 2, 3, None, 5, 6, 7, 8, 9, 10]


def test_drop_leaves_its_place_as_if_nothing_had_come() -> None:
    plan, untouched = planted("drop"), np.zeros(64, np.uint8)
    payload.poison(untouched)
    for chunk in range(plan.chunks):
        view = np.zeros(64, np.uint8)
        mischief.on_chunk(plan, HOST, view, chunk)
        assert (view.tobytes() == untouched.tobytes()) is (chunk == CHUNK)


def test_short_receives_fewer_chunks() -> None:
    assert mischief.chunks_to_receive(planted("short")) == CHUNK
    many = replace(PLAN, faults=(Fault(kind="short", value=1000),))
    assert mischief.chunks_to_receive(many) == PLAN.chunks


def test_exit_claims_success_first() -> None:
    voice = Heard("server")
    assert mischief.exit_status(planted("exit"), voice) == 9
    assert voice.lines == ["[PERF] Benchmark completed successfully"]


def test_faults_keep_to_their_own_moment() -> None:
    """A fault of one kind is no reason to commit another."""
    assert mischief.chunks_to_receive(others("short")) == PLAN.chunks
    assert mischief.exit_status(others("exit"), Heard("server")) == 0
    harmless = replace(PLAN, faults=(HERE["short"], HERE["exit"], HERE["drop"]))
    assert [mischief.chunk_to_send(harmless, place) for place in (CHUNK, 7)] == [CHUNK, 7]
    assert filled(harmless, 0, CHUNK) == right(harmless, 0, CHUNK)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("bootstrap_count", b"\x41\0\0\0" + HANDLES[0].raw + HANDLES[1].raw),
        ("bootstrap_cut", b"\x02\0\0\0" + HANDLES[0].raw[:100]),
        ("bootstrap_garbage", mischief.OTHER_PROGRAM),
    ],
)
def test_a_wrong_answer_is_all_that_the_client_gets(
    wire: tuple[bootstrap.Connection, socket.socket], kind: str, answer: bytes
) -> None:
    near, far = wire
    assert mischief.hand_out(planted(kind), near, HANDLES) is True
    near.close()
    assert far.recv(4096, socket.MSG_WAITALL) == answer


def strike(kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STRIKE, kind]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_die_kills_the_role_at_its_chunk() -> None:
    with strike("die") as process:
        out, _ = process.communicate(timeout=END_S)
    assert process.returncode == -signal.SIGKILL
    assert out == "0\n1\n2\n"


def test_hang_stops_the_role_at_its_chunk() -> None:
    with strike("hang") as process, closing(process.stdout):
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            assert os.read(process.stdout.fileno(), 100) == b"0\n1\n2\n"
        finally:
            process.kill()
