from __future__ import annotations

import socket
from dataclasses import replace

import psutil
import pytest

from harness.evidence import NicCounters, decode, encode
from harness.nic.counters import moved, settled, snapshot


@pytest.fixture
def pair():
    """Two ends of a real connection over lo."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as near:
            far, _ = server.accept()
            with far:
                yield near, far


def lo(reading: NicCounters):
    return next(nic for nic in reading.nics if nic.name == "lo")


def push(pair, size: int) -> None:
    near, far = pair
    near.sendall(b"x" * size)
    assert len(far.recv(size, socket.MSG_WAITALL)) == size


def test_every_nic_is_read_lo_too():
    reading = snapshot("a", "idle")
    assert (reading.node, reading.phase) == ("a", "idle")
    assert {nic.name for nic in reading.nics} == set(psutil.net_io_counters(pernic=True))
    assert "lo" in {nic.name for nic in reading.nics}


def test_a_reading_survives_the_journal():
    reading = snapshot("a", "sample")
    assert decode(encode(reading)) == reading


def test_up_is_what_the_system_says():
    stats = psutil.net_if_stats()
    seen = {nic.name: nic.up for nic in snapshot("a", "sample").nics}
    assert seen == {name: stats[name].isup for name in seen}


def test_lo_counts_what_went_over_it(pair):
    before = lo(snapshot("a", "idle"))
    push(pair, 100_000)
    after = lo(snapshot("a", "settled"))
    assert after.bytes_sent - before.bytes_sent >= 100_000
    assert after.packets_recv > before.packets_recv


def test_moved_names_only_what_changed(pair):
    before = snapshot("a", "idle")
    push(pair, 1000)
    after = snapshot("a", "sample")
    assert "lo" in [nic.name for nic in moved(before, after)]
    assert moved(after, after) == ()


def test_a_nic_that_appeared_or_went_down_has_moved():
    before = snapshot("a", "idle")
    first, *rest = before.nics
    fewer = replace(before, nics=tuple(rest))
    assert moved(fewer, before) == (first,)
    downed = replace(before, nics=(replace(first, up=not first.up), *rest))
    assert moved(before, downed) == (downed.nics[0],)


def test_settled_reads_until_nothing_moves(pair):
    """Traffic goes on during the first two pauses, so three readings are not enough."""
    pauses: list[float] = []

    def pause(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) <= 2:
            push(pair, 1000)

    before = lo(snapshot("a", "idle"))
    reading, moving = settled("a", ["lo"], pause=pause, deadline_s=30.0)
    assert len(pauses) >= 3
    assert moving == ()
    assert reading.phase == "settled"
    assert lo(reading).bytes_sent - before.bytes_sent >= 2000


def test_what_never_settles_is_named_at_the_deadline(pair):
    reading, moving = settled("a", ["lo"], pause=lambda pause_s: push(pair, 1000), deadline_s=0.05)
    assert moving == ("lo",)
    assert reading.nics


def test_a_nic_that_was_not_asked_for_is_not_waited_for(pair):
    _, moving = settled("a", ["eth1"], pause=lambda pause_s: push(pair, 1000), deadline_s=30.0)
    assert moving == ()
