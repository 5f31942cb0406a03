"""Who can unpack and verify: NumPy on the host, and the kernels on a GPU. Same jobs, same answers.

The device half uses neither of CuPy's pools, so every buffer is an allocation of exactly its size
and a checker of memory sees the first byte that lies beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.tcpx import payload
from harness.tcpx.cuda import Batch, Request, cupy, pinned, span
from harness.tcpx.cuda import payload as cuda_payload
from harness.tcpx.cuda import unpack as unpack_on_device
from harness.tcpx.damage import POISON, Finding
from harness.tcpx.unpack import unpack
from harness.tcpx.words import Place

Bytes = NDArray[np.uint8]


class Job(NamedTuple):
    """One message: its pieces, and what belongs there. The destination begins `lead` bytes behind
    an aligned address, the bounce buffer `bounce_lead`."""

    descriptors: NDArray[Any]
    bounce: Bytes
    size_bytes: int
    nonce: int = 0
    place: Place = Place(0, 0, 0)
    lead: int = 0
    bounce_lead: int = 0


class Received(NamedTuple):
    """What stands at the destination, and what is wrong with it."""

    data: Bytes
    finding: Finding | None


class Host:
    """The reference."""

    def unpack(self, job: Job) -> Bytes:
        data = np.full(job.size_bytes, POISON, np.uint8)
        unpack(job.descriptors, job.bounce, data)
        return data

    def receive(self, jobs: Sequence[Job]) -> list[Received]:
        """Unpacked and verified."""
        return [self._received(job) for job in jobs]

    def _received(self, job: Job) -> Received:
        data = self.unpack(job)
        return Received(data, payload.Checker(job.size_bytes).check(data, job.nonce, job.place))

    def check(self, data: Bytes, nonce: int, place: Place) -> Finding | None:
        return payload.Checker(data.size).check(data, nonce, place)

    def filled(self, size: int, nonce: int, place: Place, lead: int = 0) -> Bytes:
        room = np.zeros(size + lead, np.uint8)
        payload.fill(room[lead:], nonce, place)
        return room

    def poisoned(self, size: int) -> Bytes:
        room = np.zeros(size, np.uint8)
        payload.poison(room)
        return room


class Device:
    """The kernels; `bounce` says in which memory the bounce buffer lies."""

    def __init__(self, bounce: str = "device") -> None:
        self._bounce = bounce
        self.cupy = cupy()
        self.cupy.cuda.set_allocator(None)
        self.cupy.cuda.set_pinned_memory_allocator(None)
        self.stream = self.cupy.cuda.Stream(non_blocking=True)

    def unpack(self, job: Job) -> Bytes:
        _, bounce, to = self._buffers(job)
        unpack_on_device(job.descriptors, bounce, to, stream=self.stream)
        return np.asarray(self.cupy.asnumpy(to))

    def receive(self, jobs: Sequence[Job]) -> list[Received]:
        """All in one launch."""
        rooms = [self._buffers(job) for job in jobs]
        batch = Batch(len(jobs), max(1, sum(len(job.descriptors) for job in jobs)))
        batch.load(
            [
                Request(span(to), job.descriptors, span(bounce), job.nonce, job.place)
                for job, (_, bounce, to) in zip(jobs, rooms, strict=True)
            ]
        )
        batch.launch(self.stream)
        self.stream.synchronize()
        for job, (room, _, _) in zip(jobs, rooms, strict=True):
            assert not self.cupy.asnumpy(room[: job.lead]).any(), "bytes before the destination"
        found = batch.findings()
        return [
            Received(self.cupy.asnumpy(to), finding)
            for (_, _, to), finding in zip(rooms, found, strict=True)
        ]

    def _buffers(self, job: Job) -> tuple[Any, Any, Any]:
        room = self.cupy.zeros(job.lead + job.size_bytes, np.uint8)
        room[job.lead :] = POISON
        source = np.concatenate([np.zeros(job.bounce_lead, np.uint8), job.bounce])
        if self._bounce == "pinned":
            bounce = pinned(source.size)
            bounce[:] = source
        else:
            bounce = self.cupy.asarray(source)
        self.cupy.cuda.get_current_stream().synchronize()
        return room, bounce[job.bounce_lead :], room[job.lead :]

    def check(self, data: Bytes, nonce: int, place: Place) -> Finding | None:
        return cuda_payload.check(self.cupy.asarray(data), nonce, place)

    def filled(self, size: int, nonce: int, place: Place, lead: int = 0) -> Bytes:
        room = self.cupy.zeros(size + lead, np.uint8)
        cuda_payload.fill(room[lead:], nonce, place)
        return np.asarray(self.cupy.asnumpy(room))

    def poisoned(self, size: int) -> Bytes:
        room = self.cupy.zeros(size, np.uint8)
        cuda_payload.poison(room)
        return np.asarray(self.cupy.asnumpy(room))
