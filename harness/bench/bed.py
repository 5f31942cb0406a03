"""One case's testbed, with what peers need of it: commands in a node's namespace, exchanges, NICs.

Peers other than ours are the controller's own children: that gives their CPU time (wait4), and they
die with the controller (pdeathsig). They enter the network namespace alone, since they may lie
anywhere in the machine's files, and get a sysfs of it, without which UCX sees the wrong NICs.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import IO

from harness.bench.case import Case
from harness.bench.machine import await_idle
from harness.errors import PeerError
from harness.evidence import Entry, Journal, Record
from harness.inventory.spec import TIERS, NodeSpec
from harness.nodes import Node, connect
from harness.plan import Plan
from harness.roles.pair import Pair
from harness.testbed import Testbed, up

SERVER, CLIENT = "node-a", "node-b"
WITH_SYSFS = 'mount -t sysfs sysfs /sys && exec "$@"'
TOLD = 300  # characters of a failed program's last words
POLL_S = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A program that ran to its end."""

    code: int
    out: str
    err: str
    cpu_s: float

    def told(self) -> str:
        words = (self.err.strip() or self.out.strip())[-TOLD:]
        return f"ended with {self.code}: {words or 'it said nothing'}"


class Program:
    """A child in a node's network namespace."""

    def __init__(self, pid: int, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        enter = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net=/proc/{pid}/ns/net"]
        sysfs = ["unshare", "--mount", "sh", "-c", WITH_SYSFS, "sh"]
        self._process = Popen(
            [*enter, *sysfs, *argv],
            stdout=self._out,
            stderr=self._err,
            env={**os.environ, **environment},
        )

    def stop(self) -> None:
        """End it if it has not been waited for."""
        if self._process.returncode is None:
            self._process.kill()
            self.end(0.0)

    def end(self, timeout_s: float) -> Ended:
        """Wait for its end, or make it end; CPU time is of it and of all that it waited for."""
        until = time.monotonic() + timeout_s
        while True:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until:
                self._process.kill()
            time.sleep(POLL_S)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        with self._out, self._err:
            return Ended(
                code=self._process.returncode,
                out=_all_of(self._out),
                err=_all_of(self._err),
                cpu_s=usage.ru_utime + usage.ru_stime,
            )


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


class Bed:
    """Two nodes up for one case. A context manager."""

    def __init__(
        self, case: Case, journal: Journal, *, idle_s: float, tier: str = TIERS[0]
    ) -> None:
        self.case, self.journal, self.idle_s = case, journal, idle_s
        self._stack = ExitStack()
        self._testbed: Testbed = self._stack.enter_context(up(case.spec, tier))
        self._pair: Pair | None = None
        self._numbers = itertools.count(1)
        self._ports = itertools.cycle(range(7000, 9500, 10))
        self._programs: list[Program] = []

    # -- for peers of any kind -------------------------------------------------------------------

    def await_idle(self) -> bool:
        """Whether the machine's cores came to rest while it was reasonable to wait."""
        return await_idle(self.idle_s)

    def address(self, node: str, channel: int) -> str:
        """Of the channel's NIC; its subnet is the channel's alone."""
        return f"198.18.{channel + 1}.{1 if node == SERVER else 2}"

    def nics(self, channels: int) -> tuple[str, ...]:
        return self._testbed.inventory.nodes[0].nic_names[:channels]

    def port(self) -> int:
        """The first of ten that nobody has used for a while."""
        return next(self._ports)

    def start(
        self, node: str, argv: Sequence[object], environment: Mapping[str, str] | None = None
    ) -> Program:
        program = Program(self.pid(node), [str(word) for word in argv], environment or {})
        self._programs.append(program)
        return program

    def sweep(self) -> None:
        """End what a failed measurement has left."""
        for program in self._programs:
            program.stop()
        self._programs.clear()

    def pid(self, node: str) -> int:
        return self._testbed.pids[node]

    def received(self) -> dict[str, int]:
        """Bytes that each NIC of the server has taken in since it was made."""
        text = Path(f"/proc/{self.pid(SERVER)}/net/dev").read_text()
        rows = (line.split(":") for line in text.splitlines()[2:])
        return {name.strip(): int(rest.split()[0]) for name, rest in rows}

    # -- for ours --------------------------------------------------------------------------------

    @property
    def pair(self) -> Pair:
        """Both nodes, connected once and kept warm, with their observers."""
        if self._pair is None:
            server, client = map(self._connected, self._testbed.inventory.nodes)
            self._pair = Pair(
                server=server,
                client=client,
                owner=f"bench, pid {os.getpid()}",
                tier=self._testbed.inventory.tier,
                watches={},
            )
        return self._pair

    def _connected(self, spec: NodeSpec) -> Node:
        return self._stack.enter_context(connect(spec))

    def exchange(self, plan: Plan) -> list[Entry]:
        """Run a plan once; all that was seen is in the journal too."""
        name = f"{self.case.name}-{next(self._numbers)}"
        entries: list[Entry] = []

        def write(record: Record) -> None:
            entries.append(self.journal.write(record, exchange=name))

        self.pair.exchange(plan, name=name, test=f"bench {self.case.name}", write=write)
        return entries

    def journal_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.journal.folder.iterdir())

    def __enter__(self) -> Bed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sweep()
        self._stack.close()


def both(server: Program, client: Program, timeout_s: float, grace_s: float = 5.0) -> list[Ended]:
    """The client's and the server's ends; a failure of either is the measurement's."""
    ended = [client.end(timeout_s), server.end(grace_s)]
    for side, one in zip(("client", "server"), ended, strict=True):
        if one.code != 0:
            raise PeerError(f"its {side} {one.told()}")
    return ended
