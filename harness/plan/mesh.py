"""Several exchanges at once, one a GPU: every GPU of both nodes has a plan of its own.

GPU i of the client sends to GPU i of the server, over channels on its own NIC and a bootstrap on a
port of its own (base + GPU). Nothing but the machines is shared, so each GPU gets its own verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.errors import PlanError
from harness.plan.plan import Plan

CHANNELS = 2  # of a GPU, each with two sockets: what the transport's full mesh uses
SOCKETS = 2


def full_mesh(plan: Plan, gpus: Iterable[int]) -> tuple[Plan, ...]:
    """The plan of each GPU, in the full mesh's shape."""
    shape = replace(plan, own_nic=True, channels=CHANNELS, sockets_per_channel=SOCKETS)
    plans = tuple(replace(shape, gpu=gpu) for gpu in gpus)
    check_mesh(plans)
    return plans


def check_mesh(plans: Sequence[Plan]) -> None:
    """PlanError for plans that cannot run at once, or that nobody could tell apart."""
    problems = [] if plans else ["it has no plans"]
    for what, each in (("GPU", [p.gpu for p in plans]), ("port", [p.port for p in plans])):
        twice = sorted(value for value, times in Counter(each).items() if times > 1)
        problems += [f"several plans have {what} {value}" for value in twice]
    problems += [
        f"GPU {p.gpu} runs {p.program or p.exercise}, expected a transfer of ours"
        for p in plans
        if p.program or p.exercise != "transfer"
    ]
    if problems:
        raise PlanError("; ".join(problems), expected="a GPU and a port each", where="mesh")
