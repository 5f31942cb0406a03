"""The exercises nixl-write and nixl-read: every iteration's payload from the client to the server.

A write is the client's to begin, a read the server's; the other agent hears of it by notification
alone, as the library's users do. The server looks at every word itself. The agents meet over the
bootstrap's connection, which also says when both are done: sockets are read before either leaves.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.errors import AgentError, StallError
from harness.nic.own_sockets import own_tcp_sockets
from harness.plan import Assignment
from harness.plan.ucx import environment
from harness.roles import mischief
from harness.roles.agents.account import CHANNEL, Account
from harness.roles.agents.library import PLUGINS, Agent
from harness.roles.endpoint import ACK, fault, nonce_of
from harness.roles.voice import Voice
from harness.tcpx import payload
from harness.tcpx.bootstrap import Connection
from harness.tcpx.buffers import HostBuffers
from harness.tcpx.memory import host_buffer

SIZE = struct.Struct("<I")
HOST = HostBuffers()  # agents take host memory
OPERATION = {"nixl-write": "WRITE", "nixl-read": "READ"}


class Exercise:
    """One agent's part, from registering its memory to taking it back."""

    def __init__(self, assignment: Assignment, voice: Voice) -> None:
        plan = assignment.plan
        self.plan, self.role = plan, assignment.role
        self.operation = OPERATION[plan.exercise]
        self.deadline_s = time.monotonic() + plan.deadline_s
        self.account = Account(assignment, voice)
        voice.live(lambda: self.account.moved_bytes, plan.total_bytes)
        self.buffer = host_buffer(plan.size_bytes)
        payload.poison(self.buffer)
        self.nonce = nonce_of(assignment)
        self.checker = payload.Checker(plan.chunk_bytes)
        self.transfers = self.notifications = 0
        self.agent = Agent(assignment.role, plan.backend, _settings(assignment))
        voice.say(f"[NIXL] {self.agent.version}, backend {plan.backend}")

    @property
    def left_s(self) -> float:
        return max(self.deadline_s - time.monotonic(), 0.001)

    def run(self, connection: Connection) -> None:
        """Every step of the contract."""
        self._register()
        self._meet(connection)
        self._iterate()
        self._together(connection)
        self.account.sockets(s for s in own_tcp_sockets() if s.ends != connection.ends)
        self._together(connection)  # the other's are read too
        self._leave()

    # -- the steps -----------------------------------------------------------------------------

    def _register(self) -> None:
        pieces = _cut(self.buffer, self.plan.piece_bytes)
        self.views = _cut(self.buffer, self.plan.chunk_bytes)
        self._registered = self.agent.register(pieces)
        self._here = self.agent.descriptors(self.views)
        self.account.step("registered", len(pieces))

    def _meet(self, connection: Connection) -> None:
        """Swap metadata and descriptors; on this connection the client never speaks first."""
        if self.role == "server":
            self._tell(connection)
        metadata, places = self._hear(connection), self._hear(connection)
        if self.role == "client":
            self._tell(connection)
        name, self._there = self.agent.load(metadata, places)
        self.account.step("agents_loaded", 1, f"{name}, {len(metadata)} bytes of metadata")
        self.account.step("descriptors_loaded", self._there.descCount())

    def _iterate(self) -> None:
        turn = self._send if self.role == "client" else self._take
        for number in range(self.plan.iterations):
            started_s = time.monotonic()
            turn(number)
            self.account.iteration(number, started_s)
        self.account.done(self.checker)
        self.account.step("transfers", self.transfers)
        self.account.step("notifications", self.notifications)

    def _send(self, number: int) -> None:
        """The client's turn: fill the buffer, then bring it or see it fetched."""
        for chunk, view in enumerate(self.views):
            mischief.fill(self.plan, HOST, view, self.nonce, number, chunk)
        if self.operation == "WRITE":
            self._transfer(b"written %d" % number)
            self._await(b"verified %d" % number)
        else:
            self.agent.notify(b"filled %d" % number)
            self._await(b"read %d" % number)

    def _take(self, number: int) -> None:
        """The server's turn: wait for the bytes or fetch them, and look at every word."""
        if self.operation == "WRITE":
            self._await(b"written %d" % number)
            self._verify(number)
            self.agent.notify(b"verified %d" % number)
        else:
            self._await(b"filled %d" % number)
            self._transfer(b"read %d" % number)
            self._verify(number)

    def _leave(self) -> None:
        """Take everything back; what comes after the last step must be refused."""
        self.agent.forget()
        self.account.step("agents_removed", 1)
        again = self.operation, self._here, self._there, b""
        self._refused("refused_when_removed", lambda: self.agent.prepare(*again))
        self.agent.deregister(self._registered)
        self.account.step("deregistered", self._registered.descCount())
        self._refused("refused_when_deregistered", lambda: self.agent.deregister(self._registered))

    # -- how -----------------------------------------------------------------------------------

    def _transfer(self, notification: bytes) -> None:
        self.agent.transfer(self.operation, self._here, self._there, notification, self.left_s)
        self.transfers += 1

    def _await(self, message: bytes) -> None:
        self.agent.await_notification(message, self.left_s)
        self.notifications += 1

    def _verify(self, number: int) -> None:
        """Every word of every chunk; then nothing of it is left for the next iteration."""
        findings = []
        for chunk, view in enumerate(self.views):
            mischief.on_chunk(self.plan, HOST, view, chunk)
            place = payload.Place(iteration=number, channel=CHANNEL, chunk=chunk)
            found = self.checker.check(view, self.nonce, place)
            findings += [found] if found else []
        self.account.damage(payload.classify(findings), number)
        payload.poison(self.buffer)

    def _together(self, connection: Connection) -> None:
        """Wait for the peer, to which the library may still have something to bring."""
        connection.send_exact(ACK, self.left_s)
        while connection.spoken() is None:
            if time.monotonic() > self.deadline_s:
                raise StallError(f"the peer took longer than {self.plan.deadline_s:g} s")
            self.agent.progress()
        connection.recv_exact(len(ACK), self.left_s)

    def _tell(self, connection: Connection) -> None:
        for body in self.agent.told(self._here):
            connection.send_exact(SIZE.pack(len(body)) + body, self.left_s)

    def _hear(self, connection: Connection) -> bytes:
        (size,) = SIZE.unpack(connection.recv_exact(SIZE.size, self.left_s))
        return connection.recv_exact(size, self.left_s)

    def _refused(self, subject: str, call: Callable[[], object]) -> None:
        try:
            call()
        except AgentError as error:
            self.account.step(subject, 1, error.seen)
        else:
            self.account.step(subject, 0, "the library took it")


def _cut(buffer: NDArray[np.uint8], size_bytes: int) -> list[NDArray[np.uint8]]:
    return [buffer[at : at + size_bytes] for at in range(0, len(buffer), size_bytes)]


def _settings(assignment: Assignment) -> dict[str, str]:
    """What the library finds in its environment: the NICs that it may use, and its plugins."""
    plan, nics = assignment.plan, assignment.nics[: assignment.plan.rails]
    if one := fault(plan, "one_nic"):
        nics = (assignment.nics[one.value],)
    elif fault(plan, "loopback"):
        nics = ("lo",)
    return environment(nics) | ({PLUGINS: plan.plugins} if plan.plugins else {})
