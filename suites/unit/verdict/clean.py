"""A clean exchange as pure data, and ways to spoil it: the material of the verdicts' tests.

Two nodes, `alpha` (server) and `beta` (client), with four data NICs each; figures are those of a
virtual NIC that counts super-packets. The nodes' clocks run a day and two days ahead of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.evidence import (
    ChannelDone,
    ChannelMapped,
    ChannelSockets,
    ClockMeasured,
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    GpuHealth,
    GpuLoad,
    GpuPlace,
    GpuProcess,
    IterationDone,
    NicCount,
    NicCounters,
    NicPlace,
    NodeBusy,
    Observed,
    Record,
    RoleExited,
    RoleReady,
    RoleStarted,
    SocketSeen,
    SocketsSeen,
)
from harness.plan import MIB, Plan

TEST = "suites/hardware/test_mapping.py::test_channel_i_is_on_nic_i_mod_n[4]"
BEGAN_S = 1000.0
WALL_S = 1_790_000_000.0
NODES = {"server": "alpha", "client": "beta"}
OFFSETS = {"alpha": 86_400.0, "beta": 172_800.0}
NICS = ("eth1", "eth2", "eth3", "eth4")
HEADER = 66
ROLE_PID = 7
SUPER_PACKET = 60_000
DEALT_MORE = {0: 3, 2: -3}  # chunks that a channel of a dealt plan has beyond round-robin's
IDLE_S, START_S, DONE_S, SETTLED_S, END_S = 0.1, 0.5, 1.5, 1.8, 2.0


def entries_of(timed: list[tuple[float, Record]], exchange: str = "main-1") -> list[Entry]:
    """Entries in the order of their times."""
    ordered = sorted(timed, key=lambda pair: pair[0])
    return [
        Entry(
            run="run-1",
            worker="main",
            seq=seq,
            at_s=BEGAN_S + at_s,
            wall_s=WALL_S + at_s,
            exchange=exchange,
            record=record,
        )
        for seq, (at_s, record) in enumerate(ordered)
    ]


def clean(exchange: str = "main-1", test: str = TEST, **plan: Any) -> list[Entry]:
    """A transfer in which everything adds up."""
    planned = Plan(**{"size_bytes": 16 * MIB, **plan})
    timed = [*_frame(planned, test)]
    for role in ("server", "client"):
        timed += _role(planned, role)
    for node in NODES.values():
        timed += _counters(planned, node)
        timed += gpu_records(node) if planned.is_on_gpus else []
    return entries_of(timed, exchange)


def bootstrapped(**plan: Any) -> list[Entry]:
    """A bootstrap exercise in which all handles arrived."""
    planned = Plan(exercise="bootstrap", **plan)
    timed = [*_frame(planned, TEST), *_life("server"), *_life("client")]
    for role, subject in (("server", "handles_sent"), ("client", "handles_received")):
        timed.append((1.0, _observed(role, subject, planned.channels, channel=-1)))
    return entries_of(timed)


def windowed(**plan: Any) -> list[Entry]:
    """A window exercise in which everything held and refused what it should."""
    planned = Plan(exercise="window", **{"size_bytes": 16 * MIB, **plan})
    timed = [*_frame(planned, TEST), *_life("server"), *_life("client")]
    said = "channel 0: unable to allocate requests; expected at most 16"
    for channel in range(planned.channels):
        for role, verb, size in (("server", "recv", 16), ("client", "send", 12)):
            timed += [
                (1.0, _observed(role, f"{verb}_posted", 16, channel=channel)),
                (1.0, _observed(role, f"{verb}_refused", 1, channel=channel, detail=said)),
                (1.0, _observed(role, f"{verb}_window", size, channel=channel)),
            ]
    others = planned.chunks - planned.channel_chunks(0)
    timed.append((1.2, _observed("server", "others_progressed", others, channel=0)))
    return entries_of(timed)


# -- ways to spoil it --------------------------------------------------------------------------


def changed(entries: list[Entry], kind: type[Record], /, **fields: Any) -> list[Entry]:
    """Every record of `kind` with other fields; `where=` (a dict) chooses among them."""
    where = fields.pop("where", {})
    return edited(entries, kind, lambda record: replace(record, **fields), **where)


def edited(
    entries: list[Entry],
    kind: type[Record],
    edit: Callable[[Any], Record],
    /,
    **where: Any,
) -> list[Entry]:
    """Every record of `kind` that matches `where`, put through `edit`; at least one must."""
    hit = [_matches(entry, kind, where) for entry in entries]
    assert any(hit), f"no {kind.__name__} with {where}"
    return [
        replace(entry, record=edit(entry.record)) if is_hit else entry
        for entry, is_hit in zip(entries, hit, strict=True)
    ]


def without(entries: list[Entry], kind: type[Record], /, **where: Any) -> list[Entry]:
    left = [entry for entry in entries if not _matches(entry, kind, where)]
    assert len(left) < len(entries), f"no {kind.__name__} with {where}"
    return left


def added(entries: list[Entry], record: Record, at_s: float) -> list[Entry]:
    """One more record, heard `at_s` seconds into the exchange."""
    more = replace(entries[0], record=record, at_s=BEGAN_S + at_s, wall_s=WALL_S + at_s)
    return sorted([*entries, more], key=lambda entry: entry.at_s)


def node_time(node: str, at_s: float) -> float:
    """The node's own clock at `at_s` seconds into the exchange."""
    return BEGAN_S + at_s + OFFSETS[node]


def counted(
    entries: list[Entry], node: str, nic: str, *, phase: str = "settled", **more: int
) -> list[Entry]:
    """The NIC's counters of one phase, raised by `more` of each field."""

    def raise_nic(count: NicCount) -> NicCount:
        if count.name != nic:
            return count
        return replace(count, **{name: getattr(count, name) + by for name, by in more.items()})

    return edited(
        entries,
        NicCounters,
        lambda record: replace(record, nics=tuple(map(raise_nic, record.nics))),
        node=node,
        phase=phase,
    )


def frozen(entries: list[Entry], node: str, nic: str) -> list[Entry]:
    """The NIC's settled counters are its idle ones."""
    idle = next(
        count
        for entry in entries
        if isinstance(entry.record, NicCounters)
        and (entry.record.node, entry.record.phase) == (node, "idle")
        for count in entry.record.nics
        if count.name == nic
    )
    return edited(
        entries,
        NicCounters,
        lambda record: replace(
            record, nics=tuple(idle if c.name == nic else c for c in record.nics)
        ),
        node=node,
        phase="settled",
    )


def sockets_changed(entries: list[Entry], role: str, channel: int, **fields: Any) -> list[Entry]:
    """The sockets that a role told for a channel, with other fields."""
    return edited(
        entries,
        ChannelSockets,
        lambda record: replace(record, sockets=tuple(replace(s, **fields) for s in record.sockets)),
        role=role,
        channel=channel,
    )


def _matches(entry: Entry, kind: type[Record], where: dict[str, Any]) -> bool:
    return isinstance(entry.record, kind) and all(
        getattr(entry.record, name) == value for name, value in where.items()
    )


# -- the clean exchange ------------------------------------------------------------------------


def _frame(plan: Plan, test: str) -> list[tuple[float, Record]]:
    planned = ExchangePlanned(
        test=test,
        server=NODES["server"],
        client=NODES["client"],
        plan=plan.to_json(),
        nics={"server": list(NICS), "client": list(NICS)},
        management={"server": "eth0", "client": "eth0"},
        nonce="c0ffee",
        tier="testbed",
        rate_gbit_s=1.0,
        mtu=9000,
        gpus={role: {"gpu": 0, "nic": "eth1", "numa": 0} for role in NODES if plan.is_on_gpus},
    )
    clocks = [
        (0.01, ClockMeasured(node=node, offset_s=offset, bound_s=0.0005))
        for node, offset in OFFSETS.items()
    ]
    return [(0.0, planned), *clocks, (END_S, ExchangeEnded(duration_s=END_S))]


def gpu_records(node: str) -> list[tuple[float, Record]]:
    """A healthy GPU which only the node's role uses, while it transfers."""
    base: dict[str, Any] = {"node": node, "gpu": 0, "uuid": f"GPU-{node}"}
    nics = [NicPlace(name="eth1", bus_id="0000:06:00.0", numa=0, hops=4)]
    nics += [NicPlace(name="eth2", bus_id="0000:0c:00.0", numa=0)]
    place = GpuPlace(**base, bus_id="0000:04:00.0", numa=0, nics=tuple(nics))

    def load(phase: str, at_s: float, *processes: GpuProcess) -> tuple[float, Record]:
        used = sum((process.memory_bytes or 0) + 7 * MIB for process in processes)
        at = {"phase": phase, "at_s": node_time(node, at_s)}
        return at_s, GpuLoad(
            **base,
            **at,
            memory_used_bytes=used,
            processes=processes,
            sees_all=True,
            sm_clock_mhz=1980,
        )

    def health(phase: str, at_s: float) -> tuple[float, Record]:
        record = GpuHealth(
            **base,
            phase=phase,
            at_s=node_time(node, at_s),
            ecc_uncorrected=0,
            ecc_uncorrected_ever=2,
            rows_remapped=1,
            remap_pending=False,
            remap_failed=False,
            pcie_replays=3,
            pcie_generation_max=5,
            pcie_width_max=16,
            xid_events=True,
            throttled_ns={"power_cap": 5_000_000_000, "software_thermal": 0},
        )
        return at_s, record

    role = GpuProcess(pid=8, memory_bytes=600 * MIB, name="python3", session=ROLE_PID, inner_pid=8)
    return [
        (0.06, place),
        health("idle", 0.07),
        load("idle", 0.08),
        load("sample", 0.9, role),
        load("sample", 1.4, role),
        load("settled", 1.9),
        health("settled", 1.95),
    ]


def _life(role: str) -> list[tuple[float, Record]]:
    node = NODES[role]
    at_s = 0.2 if role == "server" else 0.3
    return [
        (at_s, RoleStarted(node=node, role=role, pid=ROLE_PID, command=("python3",))),
        (at_s + 0.05, RoleReady(node=node, role=role, nonce="c0ffee", pid=ROLE_PID)),
        (
            DONE_S + 0.1,
            RoleExited(
                node=node,
                role=role,
                code=0,
                reason="exited",
                at_s=node_time(node, DONE_S + 0.1),
            ),
        ),
    ]


def _role(plan: Plan, role: str) -> list[tuple[float, Record]]:
    node = NODES[role]
    timed = _life(role)
    step_s = (DONE_S - START_S) / plan.iterations
    for iteration in range(plan.iterations):
        started_s = START_S + iteration * step_s
        done = IterationDone(
            node=node,
            role=role,
            iteration=iteration,
            bytes=plan.size_bytes,
            chunks=plan.chunks,
            started_s=node_time(node, started_s),
            ended_s=node_time(node, started_s + step_s),
        )
        timed.append((started_s + step_s, done))
    busy = NodeBusy(node=node, role=role, machine="box", programs_s=0.5, rest_s=7.5, own_s=0.25)
    timed += [] if plan.program else [(DONE_S, busy)]
    for channel in range(plan.channels):
        timed += _channel(plan, role, channel)
    return timed


def _channel(plan: Plan, role: str, channel: int) -> list[tuple[float, Record]]:
    node, nic = NODES[role], NICS[channel % len(NICS)]
    size, chunks = _load(plan, channel)
    verified = role == "server"
    sockets = ChannelSockets(
        node=node, role=role, channel=channel, sockets=(_socket(plan, role, channel),)
    )
    mapped = ChannelMapped(
        node=node,
        role=role,
        channel=channel,
        device=channel % len(NICS),
        nic=nic,
        handle_address=_address("server", channel),
    )
    done = ChannelDone(
        node=node,
        role=role,
        channel=channel,
        bytes=size,
        chunks=chunks,
        frame_bytes=_frame_bytes(plan, channel),
        bytes_verified=size if verified else 0,
        words_verified=-(-size // 8) if verified else 0,
        started_s=node_time(node, START_S),
        ended_s=node_time(node, DONE_S - 0.01),
    )
    return [(0.4, mapped), (DONE_S + 0.01, sockets), (DONE_S + 0.02, done)]


def _socket(plan: Plan, role: str, channel: int) -> SocketSeen:
    peer = "client" if role == "server" else "server"
    ports = {"server": 21_000 + channel, "client": 50_000 + channel}
    carried = _load(plan, channel)[0] + _frame_bytes(plan, channel)
    sends = role == "client"
    return SocketSeen(
        local_address=_address(role, channel),
        local_port=ports[role],
        peer_address=_address(peer, channel),
        peer_port=ports[peer],
        nic=NICS[channel % len(NICS)],
        bound_device=NICS[channel % len(NICS)],
        state="ESTABLISHED",
        bytes_sent=carried if sends else 0,
        bytes_acked=carried + 1 if sends else 1,
        bytes_received=0 if sends else carried,
    )


def _address(role: str, channel: int) -> str:
    return f"198.18.{channel % len(NICS) + 1}.{1 if role == 'server' else 2}"


def _frame_bytes(plan: Plan, channel: int) -> int:
    return 16 * _load(plan, channel)[1] + 24


def _load(plan: Plan, channel: int) -> tuple[int, int]:
    """Bytes and chunks of a channel; dealt ones are not spread as evenly as round-robin's."""
    more = DEALT_MORE.get(channel, 0) if plan.is_dealt else 0
    size = plan.channel_bytes(channel) * plan.iterations
    chunks = plan.channel_chunks(channel) * plan.iterations
    return size + more * plan.chunk_bytes, chunks + more


def _counters(plan: Plan, node: str) -> list[tuple[float, Record]]:
    role = "server" if node == NODES["server"] else "client"
    sockets = tuple(_socket(plan, role, channel) for channel in range(plan.channels))
    moved: dict[str, int] = {}
    for channel in range(plan.channels):
        nic = NICS[channel % len(NICS)]
        carried = _load(plan, channel)[0] + _frame_bytes(plan, channel)
        moved[nic] = moved.get(nic, 0) + carried

    def reading(phase: str, at_s: float, *, after: bool) -> tuple[float, Record]:
        nics = tuple(
            _count(name, role, moved.get(name, 0) if after else 0) for name in ("eth0", *NICS, "lo")
        )
        record = NicCounters(node=node, phase=phase, at_s=node_time(node, at_s), nics=nics)
        return at_s, record

    seen = SocketsSeen(node=node, at_s=node_time(node, 1.0), sockets=sockets)
    return [
        reading("idle", IDLE_S, after=False),
        reading("idle", IDLE_S + 0.06, after=False),
        (1.0, seen),
        reading("settled", SETTLED_S, after=True),
    ]


def _count(name: str, role: str, moved: int) -> NicCount:
    """Counters since boot: a past, and what the exchange moved."""
    packets = -(-moved // SUPER_PACKET) + 3 if moved else 0
    bulk = {"bytes": moved + packets * HEADER, "packets": packets}
    acks = {"bytes": packets * HEADER, "packets": packets}
    sent, received = (bulk, acks) if role == "client" else (acks, bulk)
    return NicCount(
        name=name,
        bytes_sent=5_000_000 + sent["bytes"],
        bytes_recv=7_000_000 + received["bytes"],
        packets_sent=10_000 + sent["packets"],
        packets_recv=20_000 + received["packets"],
    )


def _observed(role: str, subject: str, value: int, *, channel: int, detail: str = "") -> Observed:
    return Observed(
        node=NODES[role],
        role=role,
        subject=subject,
        value=value,
        channel=channel,
        detail=detail,
    )
