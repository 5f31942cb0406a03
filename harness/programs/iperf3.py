"""iperf3: what wire and kernel carry; a process a channel and side, each bound to its NIC.

It speaks once, in JSON, at its end. With -J it prints an error there and ends with 0. It says which
sockets it used, which the kernel can contradict. Its client counts what it gave to its kernel, and
its server stops reading as soon as the client has given all: the last bytes never arrive. So what
was received counts on both sides, and more is sent than the plan wants.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.evidence import Record
from harness.plan import PROGRAM_CLAIMS, Plan
from harness.programs.program import Command, Due, Part, Reader, said, words

BLOCK_BYTES = 128 * 1024  # what it sends at a time
UNREAD_BYTES = 16 * 1024 * 1024  # more than both kernels hold of one connection by default


class Iperf3:
    """One stream a channel; all iterations in one go."""

    name = "iperf3"
    install = "apt install iperf3"
    settles: tuple[str, ...] = PROGRAM_CLAIMS

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return (self.name,)

    def commands(self, part: Part) -> tuple[Command, ...]:
        make = _server if part.role == "server" else _client
        return tuple(make(part, *channel) for channel in part.channel_nics())

    def listens(self, plan: Plan) -> tuple[int, ...]:
        return tuple(plan.port + channel for channel in range(plan.channels))

    def due(self, plan: Plan, role: str) -> Due:
        channels = tuple(range(plan.channels))
        sizes = (plan.channel_bytes(channel) * plan.iterations for channel in channels)
        return Due(bytes=sum(sizes), processes=channels)

    def reader(self, part: Part) -> Reader:
        return Iperf3Json()


def _server(part: Part, channel: int, nic: str, address: str) -> Command:
    port = part.plan.port + channel
    base = words(part.place, "-s", "-1", "-J", "-p", port, "-B", address)
    return Command(words=base, process=channel)


def _client(part: Part, channel: int, nic: str, address: str) -> Command:
    """Bound to the device too: a bound address may leave by another NIC's route."""
    plan = part.plan
    to = part.peers[channel % len(part.peers)]
    size = plan.channel_bytes(channel) * plan.iterations + UNREAD_BYTES
    base = words(part.place, "-J", "-l", BLOCK_BYTES, "-n", size, "-c", to, "-p")
    more = words(plan.port + channel, "-B", f"{address}%{nic}", more=plan.arguments)
    return Command(words=(*base, *more), process=channel)


class Iperf3Json:
    """What each process printed, until it has ended."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}

    def heard(self, text: str, process: int) -> list[Record]:
        self._texts.setdefault(process, []).append(text)
        return []

    def file(self, name: str, text: str) -> list[Record]:
        return []

    def ended(self, process: int) -> list[Record]:
        text = "\n".join(self._texts.pop(process, []))
        body = text[max(text.find("{"), 0) :]  # both outputs are heard: warnings come before it
        try:
            return list(self._figures(json.loads(body), process))
        except (ValueError, KeyError, TypeError) as error:
            line = f"its JSON cannot be read ({error!r}): {text[-200:]!r}"
            return [said("error", 1, line, process=process)]

    def _figures(self, body: dict[str, Any], process: int) -> Iterable[Record]:
        if "error" in body:
            yield said("error", 1, str(body["error"]), process=process)
            return
        total = body["end"]["sum_received"]  # the client has it from the server
        line = json.dumps(total, sort_keys=True)
        yield said("total_bytes", int(total["bytes"]), line, process=process)
        yield said("total_s", float(total["seconds"]), line, process=process)
        yield said("rate_gb_s", float(total["bits_per_second"]) / 8e9, line, process=process)
        for at in body["start"]["connected"]:
            ends = "{local_host}:{local_port} to {remote_host}:{remote_port}".format(**at)
            yield said("connected", 1, ends, process=process, channel=process)
