"""The GPUs of an exchange as their nodes' observers saw them: the material of what is said of them.

Two nodes of one machine may use one GPU; its uuid tells. Then both observers read the same device,
each with the processes that its own PID namespace shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.evidence import GpuHealth, GpuLoad, GpuProcess, RoleReady, RoleStarted
from harness.verdict.exchange import ROLES, Exchange, Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The GPU that a role should use, and the NIC and NUMA node that the inventory gives it."""

    role: str
    node: str
    gpu: int
    nic: str
    numa: int
    uuid: str  # '' when nobody could read it
    loads: tuple[Seen[GpuLoad], ...]

    @property
    def place(self) -> str:
        return f"{self.node} gpu {self.gpu}"


def used(exchange: Exchange) -> list[Used]:
    """Of each role of a plan on GPUs, server first."""
    found = []
    for role in ROLES:
        if planned := exchange.planned.gpus.get(role):
            node, gpu = exchange.nodes[role], int(planned["gpu"])
            loads = tuple(exchange.seen(GpuLoad, node=node, gpu=gpu))
            found.append(
                Used(
                    role=role,
                    node=node,
                    gpu=gpu,
                    nic=str(planned.get("nic", "")),
                    numa=int(planned.get("numa", -1)),
                    uuid=next((load.record.uuid for load in loads if load.record.uuid), ""),
                    loads=loads,
                )
            )
    return found


def devices(exchange: Exchange) -> list[Used]:
    """The same, each node's GPU once although both roles use it."""
    return list({(one.node, one.gpu): one for one in reversed(used(exchange))}.values())[::-1]


def shared(exchange: Exchange) -> str:
    """The uuid of the one GPU that both roles use; '' when each has its own."""
    uuids = [one.uuid for one in used(exchange)]
    return uuids[0] if len(uuids) == len(ROLES) and len(set(uuids)) == 1 else ""


def health(exchange: Exchange, one: Used) -> tuple[Seen[GpuHealth], Seen[GpuHealth]] | None:
    """Its counters before and after; None unless there are both."""
    before = exchange.first(GpuHealth, node=one.node, gpu=one.gpu, phase="idle")
    after = exchange.last(GpuHealth, node=one.node, gpu=one.gpu, phase="settled")
    return (before, after) if before and after else None


def whose(exchange: Exchange, one: Used) -> Callable[[GpuProcess], bool]:
    """Whether a process that this node's observer saw on the GPU is one of the plan's roles.

    A role is its process and all of its session. Seen from outside of a container, or from another
    node of the same machine, it is known by the pid that it has inside.
    """
    same_gpu = {other.role for other in used(exchange) if other.uuid == one.uuid}
    own = _pids(exchange, {role for role in same_gpu if exchange.nodes[role] == one.node})
    all_of_them = _pids(exchange, same_gpu)

    def is_ours(process: GpuProcess) -> bool:
        from_outside = process.inner_pid != process.pid and process.inner_pid in all_of_them
        return process.pid in own or process.session in own or from_outside

    return is_ours


def _pids(exchange: Exchange, roles: set[str]) -> set[int]:
    started = {s.record.pid for s in exchange.seen(RoleStarted) if s.record.role in roles}
    return started | {s.record.pid for s in exchange.seen(RoleReady) if s.record.role in roles}
