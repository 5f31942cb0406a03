"""A server and a client in two threads of one process, over loopback, for tests."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from harness.evidence import Record, decode, encode
from harness.plan import KIB, Assignment, Plan
from harness.roles import client, server
from harness.roles.voice import Voice

R = TypeVar("R", bound=Record)
PATIENCE_S = 20.0
# Eleven chunks, the last one odd; they fit into the sockets' buffers, so no side waits for long.
PLAN = Plan(channels=3, chunk_bytes=64 * KIB, size_bytes=10 * 64 * KIB + 1003, deadline_s=10.0)


class Heard(Voice):
    """Keeps what a role says; records pass through JSON, as they would on their way."""

    def __init__(self, role: str) -> None:
        super().__init__(node=role, role=role, by_hand=True)
        self.records: list[Record] = []
        self.lines: list[str] = []

    def record(self, record: Record) -> None:
        self.records.append(decode(json.loads(json.dumps(encode(record)))))

    def say(self, text: str) -> None:
        self.lines.append(text)

    def live(self, done_bytes: Callable[[], int], of_bytes: int) -> None:
        """Nobody waits for signs of life here."""

    def all(self, kind: type[R]) -> list[R]:
        return [record for record in self.records if isinstance(record, kind)]


@dataclass(frozen=True)
class Ended:
    """How a role ended: with a status, or with an error."""

    voice: Heard
    status: int | None
    error: BaseException | None


def assignment(plan: Plan, role: str, nics: tuple[str, ...] = ("lo",)) -> Assignment:
    return Assignment(
        plan=plan,
        role=role,
        node=role,
        nics=nics,
        management="lo",
        nonce="5eed",
        peer="127.0.0.1",
        port=plan.port,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def exchange(
    plan: Plan, *, server_nics: tuple[str, ...] = ("lo",), **of_client: Any
) -> tuple[Ended, Ended]:
    """Both roles, started together and run to their ends; the client's plan may differ."""
    plan = replace(plan, port_base=free_port())
    with ThreadPoolExecutor(2) as pool:
        voices = Heard("server"), Heard("client")
        jobs = (
            pool.submit(server.run, assignment(plan, "server", server_nics), voices[0]),
            pool.submit(client.run, assignment(replace(plan, **of_client), "client"), voices[1]),
        )
        return _ended(jobs[0], voices[0]), _ended(jobs[1], voices[1])


def _ended(job: Future[int], voice: Heard) -> Ended:
    error = job.exception(PATIENCE_S)
    return Ended(voice, None if error else job.result(), error)


def clean(plan: Plan) -> tuple[Heard, Heard]:
    """An exchange that both roles end with 0."""
    ends = exchange(plan)
    for end in ends:
        if end.error:
            raise end.error
        assert end.status == 0
    return ends[0].voice, ends[1].voice
