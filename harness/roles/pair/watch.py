"""The controller's side of one node's observer.

One observer a node lives as long as its connection and is told when an exchange begins and ends;
starting it anew for each exchange would cost more than the exchange. It shares nothing with the
roles that it watches: another process, other sources (counters and the kernel's socket table).
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Sequence
from typing import Any

from harness.errors import DeadlineError, EvidenceError, LeashError
from harness.evidence import Note, Record, decode
from harness.nodes import Event, Line, Node

ANSWER_S = 5.0  # an observer answers within one sample; this is for a machine that is drowned
GPUS_S = 20.0  # and this for a driver that wakes all GPUs when it is first asked
LIFETIME_S = 24 * 3600.0
LIFETIME_BYTES = 1 << 36  # a day of samples is some 10 GB at the worst
MAX_EVENTS = 65536


class Watch:
    """A node's observer. Asking and waiting are two steps, so that nodes answer together."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._events: queue.Queue[Event] = queue.Queue(MAX_EVENTS)
        self._stray: list[str] = []
        self._begin_s = ANSWER_S
        spec = node.spec
        self._process = node.leash().start(
            "observer",
            [
                spec.python,
                "-m",
                "harness.roles.observer",
                spec.name,
                ",".join(spec.nic_names),
                spec.management,
            ],
            events=self._events,
            env={"PYTHONPATH": node.provision()},
            deadline_s=LIFETIME_S,
            stream_bytes=LIFETIME_BYTES,
        )

    def begin(self, exchange: str, gpus: Sequence[int] = ()) -> None:
        """Ask for the idle baseline and for samples from then on; `begun` waits for them."""
        self._begin_s = ANSWER_S + (GPUS_S if gpus else 0.0)
        self._tell("begin", exchange, **({"gpus": list(gpus)} if gpus else {}))

    def begun(self, exchange: str, write: Callable[[Record], None]) -> None:
        """Until the baseline is taken and sampling runs."""
        self._until(f"observing {exchange}", write, self._begin_s)

    def end(self, exchange: str) -> None:
        """Ask for an end of sampling and for settled counters; `ended` waits for them."""
        self._tell("end", exchange)

    def ended(self, exchange: str, write: Callable[[Record], None]) -> None:
        """Until the counters have settled."""
        self._until(f"observed {exchange}", write, ANSWER_S)

    def close(self) -> None:
        self._process.stop(grace_s=0.0)

    def drain(self, write: Callable[[Record], None]) -> None:
        """Hand on what the observer has said so far, without waiting."""
        while True:
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                return
            self._take(event, write)

    def _tell(self, op: str, exchange: str, **more: Any) -> None:
        self._process.send(json.dumps({"op": op, "exchange": exchange, **more}))

    def _until(self, text: str, write: Callable[[Record], None], answer_s: float) -> None:
        deadline = time.monotonic() + answer_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                break
            record = self._take(event, write)
            if isinstance(record, Note) and record.text == text:
                return
        raise DeadlineError(
            f"the observer did not say {text!r} within {answer_s:g} s",
            where=self.node.spec.name,
            fix=f"It said on stderr: {self._stray[-5:]}",
        )

    def _take(self, event: Event, write: Callable[[Record], None]) -> Record | None:
        """Pass one event on; the observer's death is the bench's failure, at once."""
        if not isinstance(event, Line):
            raise LeashError(
                f"the observer ended ({event.record.reason}, code {event.record.code})",
                where=self.node.spec.name,
                fix=f"It said on stderr: {event.record.stderr_tail[-500:]}",
            )
        if event.stream == "err":
            self._stray = [*self._stray[-20:], event.text]
            return None
        try:
            record = decode(json.loads(event.text))
        except (ValueError, EvidenceError):  # a library's words on stdout
            write(Note(text=event.text, node=event.node, role="observer"))
            return None
        write(record)
        return record
