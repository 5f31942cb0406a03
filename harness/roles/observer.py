"""The observer: a node's counters and sockets, sampled beside the roles and independent of them.

`python -m harness.roles.observer NODE DATA_NICS MANAGEMENT` takes commands as JSON lines on stdin:
`{"op": "begin", "exchange": ID}` reads the idle counters and starts sampling, `{"op": "end"}` stops
it and reads the counters until they have settled, `{"op": "quit"}` or EOF ends. It answers with
records, a JSON line each; the notes `observing ID` and `observed ID` say where it stands. `begin`
may name `gpus` by their indices: then these are read too, through NVML.

It must not disturb what it measures. Samples name only the NICs that moved. The socket table, whose
price grows with the sockets, is read every SOCKETS_S while an exchange is young, so that a short
one is seen too, and later only as often as costs SOCKETS_SHARE of a core. GPUs, some milliseconds
each, are read once a second, and NVML is not even loaded before somebody asks for them. All waits
are for stdin, with a timeout, so that EOF ends it in the middle of anything.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Iterable
from typing import Any

from harness.errors import HarnessError, NodeError, RemoteProtocolError
from harness.evidence import NicCounters, Note, Record, RoleFailed, SocketsSeen, encode
from harness.nic.counters import moved, settled, snapshot
from harness.nic.gpus import Gpus, unread
from harness.nic.nvml import open_nvml
from harness.nic.sockets import SEEN_MAX, tcp_sockets

ROLE = "observer"
SAMPLE_S = 0.05
SOCKETS_S = 0.1
SOCKETS_SHARE = 0.001
SOCKETS_FREE_S = 0.005  # CPU that an exchange may spend on tables at once
IDLE_S = 0.06
COMMAND_MAX_BYTES = 1 << 16
SSH_PORT = 22
to_json = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one a line


class Commands:
    """Lines of stdin with a timeout. EOF raises EOFError out of every wait."""

    def __init__(self, fd: int) -> None:
        self._fd, self._buffer = fd, b""
        self._stdin = select.poll()
        self._stdin.register(fd, select.POLLIN)

    def next(self, timeout_s: float | None) -> dict[str, Any] | None:
        """The next command, or None after `timeout_s`."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            if not self._fill(None if until is None else until - time.monotonic()):
                return None
        line, _, self._buffer = self._buffer.partition(b"\n")
        return _command(line)

    def pause(self, pause_s: float) -> None:
        """Let time pass; commands that come meanwhile wait."""
        until = time.monotonic() + pause_s
        while self._fill(until - time.monotonic()):
            pass

    def _fill(self, timeout_s: float | None) -> bool:
        """Read what stdin has; False when it had nothing in time."""
        if not self._stdin.poll(None if timeout_s is None else max(timeout_s, 0.0) * 1000):
            return False
        data = os.read(self._fd, COMMAND_MAX_BYTES)
        if not data:
            raise EOFError
        self._buffer += data
        if len(self._buffer) > COMMAND_MAX_BYTES:
            raise RemoteProtocolError(f"{len(self._buffer)} bytes and no command among them")
        return True


def _command(line: bytes) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except ValueError as error:
        raise RemoteProtocolError(f"{line[:80]!r} is not a command", expected="JSON") from error
    if not isinstance(body, dict) or body.get("op") not in ("begin", "end", "quit"):
        raise RemoteProtocolError(f"{line[:80]!r}", expected="an op of begin, end or quit")
    return body


class Budget:
    """How much CPU the socket tables of one exchange may cost."""

    def __init__(self, began_s: float) -> None:
        self._began_s, self._last_s, self._spent_s = began_s, began_s, 0.0

    def allows(self, now_s: float) -> bool:
        earned_s = SOCKETS_FREE_S + SOCKETS_SHARE * (now_s - self._began_s)
        return now_s - self._last_s >= SOCKETS_S and self._spent_s < earned_s

    def spend(self, now_s: float, price_s: float) -> None:
        self._last_s = now_s
        self._spent_s += price_s


class Observer:
    """One node's. The management NIC is read too but never waited for: our own ssh is on it."""

    def __init__(
        self, node: str, nics: tuple[str, ...], management: str, commands: Commands
    ) -> None:
        self.node, self.commands = node, commands
        self._nics, self._resting = nics, {*nics, "lo"} - {management}
        self._ssh = {SSH_PORT, _ssh_port()}
        self._tables = Budget(0.0)
        self._gpus: Gpus | None = None
        self._watched: Gpus | None = None  # in this exchange

    def serve(self) -> None:
        """Obey until quit or EOF; between exchanges the leash's own deadline bounds the wait."""
        while True:
            command = self.commands.next(None)
            if command is None or command["op"] == "quit":
                return
            if command["op"] == "end":
                raise RemoteProtocolError("told to end", expected="begin before end")
            self._look_at_gpus([int(gpu) for gpu in command.get("gpus", ())])
            if not self._exchange(str(command.get("exchange", ""))):
                return

    def _look_at_gpus(self, indices: list[int]) -> None:
        """The GPUs before anything has begun. Where they cannot be read, that is what is told."""
        self._watched = None
        if not indices:
            return
        try:
            self._gpus = self._gpus or Gpus(self.node, open_nvml(), self._nics)
            _say_all(self._gpus.idle(indices))
            self._watched = self._gpus
        except NodeError as error:
            _say_all(unread(self.node, gpu, error) for gpu in indices)

    def _exchange(self, exchange: str) -> bool:
        """Observe one exchange; False when told to quit in the middle of it."""
        last = self._baseline()
        self._note(f"observing {exchange}")
        due_s = time.monotonic() + SAMPLE_S
        while (command := self.commands.next(due_s - time.monotonic())) is None:
            last = self._sample(last)
            due_s = max(due_s + SAMPLE_S, time.monotonic())  # a late sample is not made up for
        if command["op"] == "begin":
            raise RemoteProtocolError("told to begin", expected=f"the end of {exchange} first")
        if command["op"] == "quit":
            return False
        self._settle()
        self._note(f"observed {exchange}")
        return True

    def _baseline(self) -> NicCounters:
        """Two idle readings: what the NICs do when the exchange does nothing."""
        _say(snapshot(self.node, "idle"))
        self._tables = Budget(time.monotonic())
        self._look_at_sockets()
        self.commands.pause(IDLE_S)
        last = snapshot(self.node, "idle")
        _say(last)
        return last

    def _sample(self, last: NicCounters) -> NicCounters:
        now = snapshot(self.node, "sample")
        changed = {nic.name for nic in moved(last, now)} | {"lo"}
        nics = tuple(nic for nic in now.nics if nic.name in changed)
        _say(NicCounters(node=self.node, phase="sample", at_s=now.at_s, nics=nics))
        if self._tables.allows(now.at_s):
            self._look_at_sockets()
        if self._watched:
            _say_all(self._watched.sample(now.at_s))
        return now

    def _look_at_sockets(self) -> None:
        started_s, cpu_s = time.monotonic(), time.process_time()
        sockets = tcp_sockets(but_ports=self._ssh)
        _say(SocketsSeen(node=self.node, at_s=started_s, sockets=sockets))
        if len(sockets) == SEEN_MAX:
            self._note(f"more than {SEEN_MAX} sockets: the rest is not recorded")
        self._tables.spend(started_s, time.process_time() - cpu_s)

    def _settle(self) -> None:
        self._look_at_sockets()
        counters, moving = settled(self.node, self._resting, pause=self.commands.pause)
        _say(counters)
        if moving:
            self._note(f"counters had not settled in time on {', '.join(moving)}")
        if self._watched:
            _say_all(self._watched.settled(self.commands.pause))

    def _note(self, text: str) -> None:
        _say(Note(text=text, node=self.node, role=ROLE))


def _ssh_port() -> int:
    """The port of the ssh connection that this program was started over."""
    last = os.environ.get("SSH_CONNECTION", "").rpartition(" ")[2]
    return int(last) if last.isdigit() else SSH_PORT


def main(arguments: list[str]) -> int:
    if len(arguments) != 3:
        print("usage: python -m harness.roles.observer NODE DATA_NICS MANAGEMENT", file=sys.stderr)
        return 2
    node, nics, management = arguments
    commands = Commands(sys.stdin.fileno())
    observer = Observer(node, tuple(nics.split(",")), management, commands)
    try:
        observer.serve()
    except (EOFError, BrokenPipeError):  # whoever listened is gone
        return 0
    except HarnessError as error:
        _fail(node, error.klass, str(error))
        return 1
    return 0


def _fail(node: str, klass: str, message: str) -> None:
    failed = RoleFailed(node=node, role=ROLE, klass=klass, message=message, at_s=time.monotonic())
    _say(failed)


def _say_all(records: Iterable[Record]) -> None:
    for record in records:
        _say(record)


def _say(record: Record) -> None:
    """A line in one write: print's second, of the line's end alone, would wake the reader again."""
    sys.stdout.write(to_json(encode(record)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
