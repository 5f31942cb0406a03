"""The stand-in answers whoever asks, however it is asked, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.tcpx.rxdm.message import FlowRule, framed, raw, raw_of
from harness.tcpx.rxdm.stand_in import INSTALL, POOL_BYTES, REMOVE, StandIn
from suites.unit.tcpx.rxdm.test_message import ASKED, OK

GPU = "0000:0a:00.0"
PATIENCE_S = 5.0


@dataclass
class Daemon:
    """A stand-in, and what it told."""

    told: list[tuple[str, FlowRule]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stand_in = StandIn(lambda door, rule: self.told.append((door, rule)), [GPU])

    def dial(self, name: str) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE_S)
        sock.connect(f"{self.stand_in.prefix}/{name}")
        return sock


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    made = Daemon()
    with closing(made.stand_in):
        yield made


@pytest.mark.parametrize("door", [INSTALL, REMOVE])
def test_a_rule_is_granted_and_told(daemon: Daemon, door: str) -> None:
    with daemon.dial(door) as asker:
        asker.sendall(framed(ASKED))
        assert asker.recv(100) == OK
    ((where, rule),) = daemon.told
    assert (where, rule.source_port, rule.gpu) == (door, 30_000, "0000:04:00.0")


def test_several_askers_and_several_rules_of_one_are_all_answered(daemon: Daemon) -> None:
    askers = [daemon.dial(INSTALL) for _ in range(5)]
    for asker in askers:
        asker.sendall(2 * framed(ASKED))
    for asker in reversed(askers):
        heard = b""
        while len(heard) < 2 * len(OK):
            heard += asker.recv(100)
        assert heard == 2 * OK
        asker.close()
    assert len(daemon.told) == 10


def test_a_rule_that_comes_in_pieces_is_waited_for(daemon: Daemon) -> None:
    with daemon.dial(INSTALL) as asker, daemon.dial(INSTALL) as other:
        for byte in framed(ASKED)[:-1]:
            asker.sendall(bytes([byte]))
        other.sendall(framed(ASKED))
        assert other.recv(100) == OK, "nobody waits for a slow one"
        asker.sendall(framed(ASKED)[-1:])
        assert asker.recv(100) == OK


def test_what_cannot_be_understood_is_answered_too(daemon: Daemon) -> None:
    with daemon.dial(INSTALL) as asker:
        asker.sendall(framed(b"GET /"))
        assert raw_of(asker.recv(100)[2:]) == b"Not understood."
    assert daemon.told == []


def test_a_gpus_receive_memory_is_handed_out(daemon: Daemon) -> None:
    with daemon.dial(f"get_gpu_fd_{GPU}") as asker:
        asker.sendall(framed(raw(GPU.encode())))
        _, (file,), _, _ = socket.recv_fds(asker, 2, 1)
        assert os.fstat(file).st_size == POOL_BYTES
        os.close(file)
    with daemon.dial(f"get_gpu_metadata_{GPU}") as asker:
        asker.sendall(framed(raw(GPU.encode())))
        _, size, alignment = struct.unpack("@iQQ", raw_of(asker.recv(100)[2:]))
        assert (size, alignment) == (POOL_BYTES, 4096)


def test_an_asker_that_leaves_disturbs_nobody(daemon: Daemon) -> None:
    daemon.dial(INSTALL).close()
    with daemon.dial(INSTALL) as hasty:
        hasty.sendall(framed(ASKED)[:5])
    with daemon.dial(INSTALL) as asker:
        asker.sendall(framed(ASKED))
        assert asker.recv(100) == OK


def test_nothing_is_left_when_it_is_closed() -> None:
    daemon = Daemon()
    with daemon.dial(INSTALL) as asker:
        daemon.stand_in.close()
        daemon.stand_in.close()
        assert asker.recv(1) == b""
    assert not Path(daemon.stand_in.prefix).exists()
