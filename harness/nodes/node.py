"""A node: a NodeSpec that one can reach.

`run` is for short commands; whatever lives longer belongs on the leash. A command runs under
timeout(1) on the node, because a closed channel leaves it running: so it ends there at its deadline
even if nobody is left here to see it.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from harness.errors import DeadlineError, NodeError, SshError
from harness.inventory.spec import NodeSpec
from harness.nodes.deadline import Deadline
from harness.nodes.exchange import Exchange, Ran
from harness.nodes.holder import Leash
from harness.nodes.provision import provision
from harness.nodes.ssh import BROKEN, Connection

OUTPUT_BYTES = 4 * 1024 * 1024  # kept of each stream of a command
FILE_BYTES = 256 * 1024 * 1024  # of a file fetched with `get`
KILLED = 128 + 9
GRACE_S = 3.0  # for the news of an ended command to arrive
PUT = 'mkdir -p "$(dirname "$1")" && cat > "$1.part" && mv -f "$1.part" "$1"'


def connect(spec: NodeSpec, *, timeout_s: float = 15.0) -> Node:
    """Reach a node: its host key verified, its user logged in, within `timeout_s`."""
    return Node(spec, Connection(spec, timeout_s))


class Node:
    """One transport to one node. Its methods may be called from several threads."""

    def __init__(self, spec: NodeSpec, connection: Connection) -> None:
        self.spec = spec
        self._connection = connection
        self._lock = threading.Lock()
        self._leash: Leash | None = None
        self._code = ""

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> Ran:
        """Run a command to its end. A code that is not 0 is the caller's to judge."""
        code, talk, duration_s = self._talk(argv, timeout_s, stdin, OUTPUT_BYTES)
        return Ran(
            code=code, stdout=talk.out.text, stderr=talk.err.text, duration_s=round(duration_s, 6)
        )

    def put(self, path: str, data: bytes, *, timeout_s: float) -> None:
        """Write a file, whole or not at all; its folder is made."""
        ran = self.run(["sh", "-c", PUT, "sh", path], timeout_s=timeout_s, stdin=data)
        if ran.code:
            raise NodeError(f"cannot write {path}: {ran.stderr.strip()}", where=self.spec.name)

    def get(self, path: str, *, timeout_s: float) -> bytes:
        """A file's content."""
        code, talk, _ = self._talk(["cat", "--", path], timeout_s, b"", 2 * FILE_BYTES)
        if code:
            raise NodeError(f"cannot read {path}: {talk.err.text.strip()}", where=self.spec.name)
        if len(data := talk.out.data) > FILE_BYTES:
            limit = f"at most {FILE_BYTES} bytes"
            raise NodeError(f"{path} is too large", expected=limit, where=self.spec.name)
        return data

    def provision(self) -> str:
        """The folder on the node that holds the roles' code; checked and filled once a Node."""
        with self._lock:
            self._code = self._code or provision(self)
            return self._code

    def leash(self) -> Leash:
        """The node's leash; started on first use, and again when it was lost."""
        with self._lock:
            if self._leash is None or self._leash.lost:
                self._leash = Leash(self._connection)
            return self._leash

    def close(self) -> None:
        """End what runs on the leash, then the connection."""
        if self._leash is not None:
            self._leash.close()
        self._connection.close()

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _talk(
        self, argv: Sequence[str], timeout_s: float, stdin: bytes, limit_bytes: int
    ) -> tuple[int, Exchange, float]:
        """Exit status, what was said, and how long it took."""
        begun = time.monotonic()
        # The shell stays around to tell 128 + N; sshd's own word for a signal is not read here.
        limit = f"timeout -s KILL {max(timeout_s, 0.001):.3f}"
        channel = self._connection.open(f"{limit} {shlex.join(argv)}; exit $?", timeout_s)
        talk = Exchange(channel, stdin, limit_bytes)
        try:
            code = talk.finish(Deadline(timeout_s + GRACE_S, self.spec.name))
        except DeadlineError as error:
            raise self._late(argv, timeout_s, talk) from error
        except BROKEN:
            code = None
        finally:
            self._connection.release(channel)
        duration_s = time.monotonic() - begun
        if code is None:
            raise SshError(
                f"the connection was lost while {argv[0]} ran",
                where=self.spec.name,
                fix="Is the node still up?",
            )
        if code == KILLED and duration_s >= timeout_s:
            raise self._late(argv, timeout_s, talk)
        return code, talk, duration_s

    def _late(self, argv: Sequence[str], timeout_s: float, talk: Exchange) -> DeadlineError:
        said = (talk.err.text or talk.out.text).strip()[-200:]
        return DeadlineError(
            f"{shlex.join(argv)[:200]} did not end within {timeout_s:g} s and was killed"
            + (f"; it last said {said!r}" if said else ""),
            where=self.spec.name,
        )
