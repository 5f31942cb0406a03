"""A device's memory opened by another process, and another process's by a role: whatever the
device, both see the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import CudaError
from harness.tcpx.cuda.device import cuda_buffers
from harness.tcpx.damage import POISON
from harness.tcpx.device.buffers import DeviceBuffers, Piece
from harness.tcpx.memory import host_buffer
from harness.tcpx.net.plugin import MAX_DESCRIPTORS
from harness.tcpx.payload import expected
from harness.tcpx.unpack.descriptor import DTYPE
from harness.tcpx.words import Place
from suites.unit.tcpx.device.standin import StandIn, device_buffers

PROJECT = Path(__file__).parents[4]
KIB = 1024
NONCE, PLACE = 11, Place(3, 1, 5)
SIZE = 3 * 4096 + 1001

# Memory of its own with the given bytes, and then what it is asked for: bytes of the role's.
OTHER = """
import json, sys
from suites.unit.tcpx.net.nccl_net.driver import PLUGINS_OWN, Driver
driver = Driver(sys.argv[1])
data = sys.stdin.buffer.read(int(sys.argv[2]))
own = driver.take()
driver.write(own + 4096, data)
handle, offset, size = driver.gpu.share(own + 4096)
print(json.dumps([handle.hex(), offset, size]), flush=True)
for line in sys.stdin:
    handle, offset, size = json.loads(line)
    opened = driver.gpu.open(bytes.fromhex(handle), offset)
    print(driver.gpu.read(opened.address, size).hex(), flush=True)
    opened.close()
"""


class Other:
    """Another process with memory of the same device, in which `data` lies at `where`."""

    def __init__(self, library: str, data: bytes) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", OTHER, library, str(len(data))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        self.where = json.loads(self._said(data))

    def reads(self, piece: Piece) -> bytes:
        handle, offset = piece.share()
        asked = json.dumps([handle.hex(), offset, len(piece)]) + "\n"
        return bytes.fromhex(self._said(asked.encode()).decode())

    def close(self) -> None:
        self._process.communicate()

    def _said(self, words: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(words)
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture(params=["stand-in", pytest.param("cuda", marks=pytest.mark.gpu)])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def buffers(kind: str) -> DeviceBuffers:
    if kind == "cuda":
        return cuda_buffers(0, channels=1, message_bytes=64 * KIB)
    return device_buffers(channels=1, message_bytes=64 * KIB)


@pytest.fixture
def other(kind: str, request: pytest.FixtureRequest) -> Iterator[Callable[[bytes], Other]]:
    library = "libcuda.so.1" if kind == "cuda" else request.getfixturevalue("no_cuda")
    made: list[Other] = []

    def make(data: bytes = b"") -> Other:
        made.append(Other(library, data))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_another_process_reads_what_was_ordered_here(
    buffers: DeviceBuffers, other: Callable[..., Other]
) -> None:
    whole = buffers.make(5 * 4096, shared=True)
    piece = whole[4096 : 4096 + SIZE]
    buffers.fill(piece, NONCE, PLACE)
    assert piece.written().is_down(10.0)
    reader = other()
    assert reader.reads(piece) == expected(NONCE, PLACE, SIZE).tobytes()
    buffers.poison(piece)
    assert piece.written().is_down(10.0)
    assert set(reader.reads(piece)) == {POISON}


def scattered(size: int) -> tuple[Any, Any]:
    """A message's pages in turned order, and the bytes as they lie."""
    pages = -(-size // 4096)
    descriptors = np.zeros(pages, DTYPE)
    data, lying = expected(NONCE, PLACE, size), np.zeros(pages * 4096, np.uint8)
    for page, row in enumerate(descriptors):
        part = data[page * 4096 : (page + 1) * 4096]
        row["src_off"], row["len"] = (pages - 1 - page) * 4096, len(part)
        row["dst_off"] = page * 4096
        lying[row["src_off"] :][: len(part)] = part
    return descriptors, lying


def test_a_message_may_come_in_as_many_pieces_as_were_asked_for() -> None:
    """Of a wire's packets, say, which may be far smaller than pages."""
    count = MAX_DESCRIPTORS
    buffers = DeviceBuffers(StandIn(), channels=1, message_bytes=64 * KIB, pieces=count)
    bounce = host_buffer(8 * count, shared=True)
    unpin = buffers.pin(bounce)
    bounce[:] = expected(NONCE, PLACE, 8 * count)
    descriptors = np.zeros(count, DTYPE)
    descriptors["src_off"] = descriptors["dst_off"] = 8 * np.arange(count)
    descriptors["len"] = 8
    view, intake = buffers.make(8 * count, shared=True), buffers.intake(8 * count)
    landing = intake.unpack(descriptors, bounce, view, NONCE, PLACE)
    assert landing.is_down(10.0)
    assert intake.check(landing, view, NONCE, PLACE) is None
    unpin()


@pytest.mark.parametrize("flipped", [False, True])
def test_another_processs_memory_is_unpacked_and_verified(
    buffers: DeviceBuffers, other: Callable[..., Other], flipped: bool
) -> None:
    descriptors, lying = scattered(SIZE)
    lying[803] ^= flipped  # of the message's last page, which lies first
    handle, offset, size = other(lying.tobytes()).where
    view = buffers.make(SIZE, shared=True)
    bounce, let_go = view.adopt(bytes.fromhex(handle), offset, size)
    intake = buffers.intake(SIZE)
    landing = intake.unpack(descriptors, bounce, view, NONCE, PLACE)
    assert landing.is_down(10.0)
    finding = intake.check(landing, view, NONCE, PLACE)
    assert (finding is None) == (not flipped)
    if finding is not None:
        assert (finding.kind, finding.first_word) == ("BITFLIP", 3 * 512 + 100)
    let_go()


def test_memory_that_several_comms_have_is_reached_until_the_last_lets_go(
    buffers: DeviceBuffers, other: Callable[..., Other]
) -> None:
    """A plugin may have one bounce buffer for all comms of a GPU."""
    descriptors, lying = scattered(SIZE)
    handle, offset, size = other(lying.tobytes()).where
    view, intake = buffers.make(SIZE, shared=True), buffers.intake(SIZE)
    adopted = [view.adopt(bytes.fromhex(handle), offset, size) for _ in range(2)]
    adopted[0][1]()
    landing = intake.unpack(descriptors, adopted[1][0], view, NONCE, PLACE)
    assert landing.is_down(10.0)
    assert intake.check(landing, view, NONCE, PLACE) is None
    adopted[1][1]()


def test_what_is_let_go_is_not_reached_any_more(no_cuda: str) -> None:
    device = StandIn()
    buffers = DeviceBuffers(device, channels=1, message_bytes=64 * KIB)
    process = Other(no_cuda, b"")
    handle, offset, size = process.where
    view = buffers.make(4096, shared=True)
    _, let_go = view.adopt(bytes.fromhex(handle), offset, size)
    assert len(device.adopted) == 1
    let_go()
    assert device.adopted == []
    process.close()


@pytest.mark.gpu
def test_memory_that_is_not_the_devices_is_not_shared() -> None:
    buffers = cuda_buffers(0, channels=1, message_bytes=64 * KIB)
    with pytest.raises(CudaError, match="memory at 0x1000 is to be shared"):
        Piece(buffers, 4096, 100).share()
