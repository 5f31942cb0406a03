"""A plan that is ready to run: each role's assignment, and where what is seen of it goes.

Several of them run at once in a mesh; then a label tells their processes and their records apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import PlanError
from harness.evidence import Record
from harness.nodes import Node
from harness.plan import Assignment, Plan

Tell = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One exchange of those that run together; mostly it is the only one."""

    plan: Plan
    assignments: dict[str, Assignment]  # by role
    label: str  # of its processes' names, and of its own in the journal; '' when it is alone
    tell: Tell


def nics_of(node: Node, plan: Plan, first: int = 0) -> tuple[str, ...]:
    """The data NICs of the plan's channels on a node, in channel order: all of them, from the
    `first` on in turn, or the one of the plan's GPU."""
    names = node.spec.nic_names
    if not plan.own_nic:
        if first not in range(max(len(names), 1)):
            raise PlanError(
                f"the first NIC is number {first}",
                expected=f"one of the node's, 0..{len(names) - 1}",
                where=node.spec.name,
            )
        return names[first:] + names[:first]
    if nic := node.spec.nic_of(plan.gpu):
        return (nic,)
    raise PlanError(
        f"the inventory pairs GPU {plan.gpu} with no data NIC",
        expected="a NIC for each GPU that keeps to its own",
        where=node.spec.name,
        fix="State it: a [[node.gpu]] with index and nic",
    )


def gpu_of(node: Node, plan: Plan) -> dict[str, Any]:
    """The GPU that the plan uses on a node, and what the inventory says of its place."""
    device = node.spec.device_of(plan.gpu)
    stated = next((gpu for gpu in node.spec.gpus if gpu.index == device), None)
    known = {"nic": stated.nic, "numa": stated.numa} if stated else {}
    return {"gpu": device, "nic": "", "numa": -1, **known}


def check_devices(prepared: Sequence[Prepared]) -> None:
    """PlanError for plans of several GPUs that a node's inventory makes one and the same: each
    would be judged by the other's, and the GPU that was meant by nobody."""
    seen: dict[tuple[str, int], int] = {}
    for one in prepared:
        for role in one.assignments.values():
            other = seen.setdefault((role.node, role.device), one.plan.gpu)
            if other != one.plan.gpu:
                raise PlanError(
                    f"GPUs {other} and {one.plan.gpu} of the mesh are both device {role.device}",
                    expected="a device each: GPUs by their index, or all by their place",
                    where=role.node,
                )
