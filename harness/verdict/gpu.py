"""The plan's GPUs were used by its roles, stayed healthy and gave all memory back.

What the GPU lost or got wrong is a FAIL; what it still has to repair, or had to send again, leaves
the claim open, and so does a role that nobody saw on its GPU. That it was throttled or shared with
a stranger does not concern what was moved: it is told here, and makes claims of speed open (see
gpu_fit.py). What NVML does not tell is listed as unknown and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.evidence import GpuHealth, GpuLoad, IterationDone, Judged
from harness.verdict.exchange import Exchange, Seen
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.gpu_clocks import throttled, untold
from harness.verdict.gpu_place import misplaced
from harness.verdict.gpu_users import has_more, left, memory_is_told, strangers
from harness.verdict.gpus import Used, devices, health, shared, used, whose

CLAIM = "gpu"
COMPARED = (
    "ecc_uncorrected",
    "ecc_uncorrected_ever",
    "remap_pending",
    "remap_failed",
    "pcie_replays",
)
SEEN_TIMES = 2  # samples of a transfer in which the role's process must have been found


def gpu(exchange: Exchange) -> Judged:
    if not used(exchange):
        fact = "the plan does not say which GPUs its roles use"
        return breaks(exchange, CLAIM, "NO_EVIDENCE", fact, at_s=exchange.ended_s)
    found = [*_lost(exchange), *_counters(exchange), *_memory(exchange)]
    found += [*_places(exchange), *_use(exchange)]
    return next((f for f in found if f.outcome == "FAIL"), found[0] if found else _well(exchange))


def _red(exchange: Exchange, one: Used, klass: str, fact: str, at_s: float) -> Judged:
    return breaks(exchange, CLAIM, klass, fact, at_s=at_s, node=one.node, gpu=one.gpu)


def _lost(exchange: Exchange) -> Iterator[Judged]:
    """GPUs that were never read, or that stopped answering, and Xids."""
    for one in devices(exchange):
        if not one.uuid or health(exchange, one) is None:
            said = next((load.record.trouble for load in one.loads if load.record.trouble), "")
            fact = f"the GPU was not read before and after: {said or 'nothing says why'}"
            yield _red(exchange, one, "NO_EVIDENCE", fact, exchange.ended_s)
        for load in one.loads if one.uuid else ():
            if load.record.trouble:
                fact = f"the GPU stopped answering: {load.record.trouble}"
                yield _red(exchange, one, "GPU_LOST", fact, load.at_s)
            if load.record.xids:
                xids = ", ".join(map(str, load.record.xids))
                fact = f"Xid {xids} during the exchange, heard at {load.at_s:.1f} s"
                yield _red(exchange, one, "GPU_XID", fact, load.at_s)


def _counters(exchange: Exchange) -> Iterator[Judged]:
    for one in devices(exchange):
        readings = health(exchange, one)
        for klass, fact in _worse(*readings) if readings else ():
            at_s = readings[1].at_s if readings else exchange.ended_s
            yield _red(exchange, one, klass, fact, at_s)


def _worse(before: Seen[GpuHealth], after: Seen[GpuHealth]) -> Iterator[tuple[str, str]]:
    """Class and fact of what the counters say."""
    old, new = before.record, after.record
    for name, words in (("ecc_uncorrected", ""), ("ecc_uncorrected_ever", " in its life")):
        if rise := _rise(old, new, name):
            more = counted(rise, "uncorrectable memory error")
            yield "GPU_ECC", f"{more} during the exchange, {getattr(new, name):,} so far{words}"
    if new.remap_failed:
        yield "GPU_REMAP", f"a row could not be remapped{_since(old.remap_failed)}"
    if new.remap_pending:
        yield (
            "GPU_REMAP",
            f"a row waits for a reset to be remapped{_since(old.remap_pending)}",
        )
    if rise := _rise(old, new, "pcie_replays"):
        more = counted(rise, "PCIe replay")
        yield "GPU_REPLAY", f"{more} during the exchange, {new.pcie_replays:,} so far"


def _rise(old: GpuHealth, new: GpuHealth, name: str) -> int:
    before, after = getattr(old, name), getattr(new, name)
    return 0 if before is None or after is None else max(after - before, 0)


def _since(before: bool | None) -> str:
    return ", as before the exchange" if before else ", and none did before the exchange"


def _memory(exchange: Exchange) -> Iterator[Judged]:
    for found in left(exchange):
        klass = "GPU_LEFTOVER" if found.ours else "GPU_FOREIGN"
        at_s, node = found.at_s, found.node
        yield breaks(exchange, CLAIM, klass, found.fact, at_s=at_s, node=node, gpu=found.gpu)


def _use(exchange: Exchange) -> Iterator[Judged]:
    """Roles that were on another GPU than the plan's, or that nobody saw on theirs."""
    for one in used(exchange):
        samples = list(_of_transfer(exchange, one))
        if len(samples) >= SEEN_TIMES and not any(_ours(exchange, one, load) for load in samples):
            fact = (
                f"the {one.role} was never on the GPU that the plan names, "
                f"in {len(samples)} samples of its transfer"
            )
            yield _red(exchange, one, "GPU_MAPPING", fact, exchange.ended_s)
        elif one.uuid and not _was_seen(exchange, one):
            looks = counted(len(_samples(one)), "sample")
            fact = f"nobody saw the {one.role} on the GPU that the plan names, in {looks}"
            yield _red(exchange, one, "NO_EVIDENCE", fact, exchange.ended_s)


def _was_seen(exchange: Exchange, one: Used) -> bool:
    """By its process; where processes may be hidden also by memory, if no other role's it is."""
    if any(_ours(exchange, one, load) for load in _samples(one)):
        return True
    return not shared(exchange) and any(
        has_more(one, load) for load in _samples(one) if not load.sees_all
    )


def _samples(one: Used) -> list[GpuLoad]:
    return [load.record for load in one.loads if load.record.phase == "sample"]


def _ours(exchange: Exchange, one: Used, load: GpuLoad) -> bool:
    return any(map(whose(exchange, one), load.processes))


def _of_transfer(exchange: Exchange, one: Used) -> Iterator[GpuLoad]:
    """Samples in which the role's process must be seen, since none is hidden from them."""
    done = [seen.record for seen in exchange.seen(IterationDone, role=one.role)]
    began_s = min((d.started_s for d in done), default=0.0)
    ended_s = max((d.ended_s for d in done), default=0.0)
    for load in one.loads:
        if load.record.sees_all and began_s <= load.record.at_s <= ended_s:
            yield load.record


def _places(exchange: Exchange) -> Iterator[Judged]:
    for found in misplaced(exchange):
        yield breaks(
            exchange,
            CLAIM,
            "INVENTORY",
            found.fact,
            at_s=found.at_s,
            node=found.node,
            nic=found.nic,
            gpu=found.gpu,
        )


def _well(exchange: Exchange) -> Judged:
    unknown = [line for one in devices(exchange) for line in _unknown(exchange, one)]
    checked = sum(_compared(exchange, one) for one in devices(exchange))
    is_told = all(memory_is_told(one) for one in devices(exchange))
    memory = "all memory given back" if is_told else "whether memory was given back is not known"
    fact = f"{_which(exchange)}: no new error, {memory}"
    return holds(exchange, CLAIM, checked=checked, fact=fact, evidence=[*_told(exchange), *unknown])


def _which(exchange: Exchange) -> str:
    """The roles' GPUs, or that they share one."""
    if uuid := shared(exchange):
        places = " and ".join(one.place for one in used(exchange))
        return f"server and client share one GPU, {uuid} ({places})"
    return ", ".join(f"{one.role} on {one.place} ({one.uuid})" for one in used(exchange))


def _told(exchange: Exchange) -> list[str]:
    """What makes claims of speed open and no other."""
    slow = [f"{s.node} gpu {s.gpu}: {s.fact}" for s in throttled(exchange)]
    return slow + [f"{s.node} gpu {s.gpu}: {s.fact}" for s in strangers(exchange)]


def _unknown(exchange: Exchange, one: Used) -> Iterator[str]:
    readings = health(exchange, one)
    record = readings[1].record if readings else None
    names = [name for name in COMPARED if record and getattr(record, name) is None]
    names += ["Xids"] if record and not record.xid_events else []
    names += ["throttling"] if one in untold(exchange) else []
    names += ["memory"] if any(load.record.memory_used_bytes is None for load in one.loads) else []
    if names:
        yield f"{one.place}: unknown, NVML does not tell: {', '.join(names)}"


def _compared(exchange: Exchange, one: Used) -> int:
    """Counters that were told before and after, Xids if heard, memory and the place."""
    readings = health(exchange, one)
    if readings is None:
        return 0
    old, new = (reading.record for reading in readings)
    told = sum(None not in (getattr(old, name), getattr(new, name)) for name in COMPARED)
    memory = all(load.record.memory_used_bytes is not None for load in one.loads)
    return told + new.xid_events + memory
