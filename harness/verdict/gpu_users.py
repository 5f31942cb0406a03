"""Who was on a plan's GPU besides its roles, and what they left behind.

Where the observer sees every process, a stranger has a pid. In a container it sees only its own:
there a stranger is memory that nobody accounts for. Before the roles begin, any such memory is a
stranger's; while they run it must outlast a sample, because another node's role on the same GPU is
read at another time and may have been missed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.evidence import GpuLoad, GpuProcess
from harness.plan import MIB
from harness.verdict.exchange import Exchange, Seen
from harness.verdict.gpus import Used, devices, used, whose
from harness.verdict.limits import LIMITS

SEEN_TIMES = 2  # sightings that tell how much another node's role has


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody else on a GPU, from its first sighting to its last, in seconds of the exchange."""

    node: str
    gpu: int
    who: str
    memory_bytes: int
    first_s: float
    last_s: float

    @property
    def fact(self) -> str:
        until_s = max(self.last_s, 0.0)
        return (
            f"{self.who} has {self.memory_bytes / MIB:,.0f} MiB of it, "
            f"seen from {max(self.first_s, 0.0):.1f} s to {until_s:.1f} s of the exchange"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Memory that was not there before and is there after; `ours` when a role surely left it."""

    node: str
    gpu: int
    fact: str
    ours: bool
    at_s: float


def strangers(exchange: Exchange) -> list[Stranger]:
    """Everybody else, in the order of their sightings."""
    found = [
        stranger
        for one in devices(exchange)
        for stranger in (*_named(exchange, one), *_hidden(exchange, one))
    ]
    return sorted(found, key=lambda stranger: stranger.first_s)


def left(exchange: Exchange) -> list[Left]:
    return [found for one in devices(exchange) if (found := _left(exchange, one))]


def memory_is_told(one: Used) -> bool:
    """Whether what is left could be seen: memory before the roles and after them."""
    return all(load and load.record.memory_used_bytes is not None for load in _ends(one))


def has_more(one: Used, load: GpuLoad) -> bool:
    """Whether memory is in use that was not before, and that no process seen there has."""
    before = _ends(one)[0]
    if before is None or before.record.memory_used_bytes is None:
        return False
    return _rest_bytes(load) - _rest_bytes(before.record) > LIMITS.gpu_slack_bytes


def _named(exchange: Exchange, one: Used) -> Iterator[Stranger]:
    ours = whose(exchange, one)
    sightings: dict[int, list[tuple[float, GpuProcess]]] = {}
    for load in one.loads:
        for process in load.record.processes:
            if not ours(process):
                sightings.setdefault(process.pid, []).append((load.at_s, process))
    for pid, seen in sightings.items():
        name = next((process.name for _, process in seen if process.name), "a process")
        yield Stranger(
            node=one.node,
            gpu=one.gpu,
            who=f"{name} (pid {pid})",
            memory_bytes=max(process.memory_bytes or 0 for _, process in seen),
            first_s=seen[0][0],
            last_s=seen[-1][0],
        )


def _hidden(exchange: Exchange, one: Used) -> Iterator[Stranger]:
    """Memory that no process accounts for, where processes may be hidden."""
    others = _others_bytes(exchange, one)
    run: list[tuple[float, int]] = []
    runs = []
    for load in one.loads:
        rest = _rest_bytes(load.record, others if load.record.phase == "sample" else 0)
        is_open = rest > LIMITS.gpu_slack_bytes and load.record.phase != "settled"
        if is_open and not load.record.sees_all:
            run.append((load.at_s, rest))
            before = load.record.phase == "idle"
            if len(run) == (1 if before else 2):
                runs.append(run)
        else:
            run = []
    for seen in runs[:1]:
        yield Stranger(
            node=one.node,
            gpu=one.gpu,
            who="a process that this node may not see",
            memory_bytes=max(rest for _, rest in seen),
            first_s=seen[0][0],
            last_s=seen[-1][0],
        )


def _rest_bytes(load: GpuLoad, others_bytes: int = 0) -> int:
    """Memory in use beyond that of the processes seen and of `others_bytes`; 0 if not told."""
    memory = [process.memory_bytes for process in load.processes]
    told = [count for count in memory if count is not None]
    if load.memory_used_bytes is None or len(told) < len(memory):
        return 0
    kept = LIMITS.gpu_process_bytes * len(told)
    return max(load.memory_used_bytes - sum(told) - kept - others_bytes, 0)


def _others_bytes(exchange: Exchange, one: Used) -> int:
    """What roles may have on the GPU that this node's observer does not see."""
    return sum(
        _role_bytes(exchange, other, here=other.node == one.node)
        for other in used(exchange)
        if other.uuid == one.uuid
    )


def _role_bytes(exchange: Exchange, one: Used, *, here: bool) -> int:
    """The most that its own node saw of it; an allowance when it was never seen at all, or from
    elsewhere only once, which may have been while it was still taking memory."""
    seen = [held for load in one.loads if (held := sum(_ours(exchange, one, load)))]
    if len(seen) < (1 if here else SEEN_TIMES):
        return LIMITS.gpu_role_bytes + 2 * exchange.plan.size_bytes
    return 0 if here else max(seen) + LIMITS.gpu_process_bytes


def _ours(exchange: Exchange, one: Used, load: Seen[GpuLoad]) -> Sequence[int]:
    ours = whose(exchange, one)
    return [process.memory_bytes or 1 for process in load.record.processes if ours(process)]


def _left(exchange: Exchange, one: Used) -> Left | None:
    before, after = _ends(one)
    if before is None or after is None:
        return None
    ours = whose(exchange, one)
    still = [process for process in after.record.processes if ours(process)]
    more = _rest_bytes(after.record) - _rest_bytes(before.record)
    if still:
        pids = ", ".join(f"{process.name} (pid {process.pid})" for process in still)
        held = sum(process.memory_bytes or 0 for process in still)
        fact = f"{held / MIB:,.0f} MiB are left over, held by {pids}"
    elif more > LIMITS.gpu_slack_bytes:
        holder = "no process" if after.record.sees_all else "no process that this node may see"
        fact = f"{more / MIB:,.0f} MiB more are in use than before, and {holder} holds them"
    else:
        return None
    certain = bool(still) or after.record.sees_all
    return Left(node=one.node, gpu=one.gpu, fact=fact, ours=certain, at_s=after.at_s)


def _ends(one: Used) -> tuple[Seen[GpuLoad] | None, Seen[GpuLoad] | None]:
    """The readings before the roles and after them."""
    before = next((load for load in one.loads if load.record.phase == "idle"), None)
    after = next((load for load in reversed(one.loads) if load.record.phase == "settled"), None)
    return before, after
