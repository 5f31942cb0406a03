"""The things that can be seen, one frozen dataclass each.

A record says what happened on which node to which role; it never says whether that was good. Roles
and the observer write them as JSON lines `{"type": "<class name>", ...fields}` on stdout, the
controller writes its own, and all land in the journal. Unknown fields are refused when read: a
journal is read by the version that can understand it. Units are last in names; `at_s` is the
monotonic clock of the node that wrote the record.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from harness.errors import EvidenceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The root of all records."""


# -- the run and its tests ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Record):
    tier: str
    inventory: dict[str, Any]  # the inventory's file and nodes, without secrets
    options: dict[str, Any]
    versions: dict[str, str]
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsPlanned(Record):
    """Every test that was selected, before the first one runs; id -> source file:line."""

    __test__ = False
    tests: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestStarted(Record):
    __test__ = False
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFinished(Record):
    """`outcome` is a verdict's word: SKIP, PASS, INCONCLUSIVE, FAIL, ERROR. A test that is tried
    again has an end for each try; `tries` is how many the test itself asked for."""

    __test__ = False
    test: str
    outcome: str
    duration_s: float
    klass: str = ""
    message: str = ""
    detail: str = ""
    attempt: int = 1
    tries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded(Record):
    exit_code: int


# -- an exchange, as the controller sees it ----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePlanned(Record):
    """`nics` maps role -> data NICs in channel order; `rate_gbit_s` 0 means unknown. Exchanges that
    run at once have one `mesh`: what belongs to all of them is written under that name."""

    test: str
    server: str
    client: str
    plan: dict[str, Any]
    nics: dict[str, list[str]]
    tier: str
    management: dict[str, str] = field(default_factory=dict)  # role -> NIC that carries ssh
    nonce: str = ""
    rate_gbit_s: float = 0.0
    mtu: int = 0
    mesh: str = ""
    # role -> its GPU, the NIC that the inventory pairs with it and its NUMA node; of CUDA plans
    gpus: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeEnded(Record):
    """The controller has stopped both roles and read all they said; `problem` is the bench's."""

    duration_s: float
    klass: str = ""
    problem: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimMade(Record):
    """A promise to settle `claim`; without a Judged for it the run is an error."""

    test: str
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Record):
    """What a verdict said of one claim; `checked` says on how many comparisons it rests."""

    test: str
    claim: str
    outcome: str
    checked: int
    fact: str
    klass: str = ""
    node: str = ""
    nic: str = ""
    gpu: int = -1
    channel: int = -1
    chunk: int = -1
    evidence: tuple[str, ...] = ()
    next_step: str = ""
    at_s: float = 0.0  # seconds into the exchange of what it rests on; the earliest is the cause
    attempt: int = 1  # which try of its test


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Record):
    """One figure of this run against its last good nights; `klass` '' means as before.

    `effect` is tonight over the baseline - 1, `floor` the least that counts: what good nights
    differ by among themselves, and what anybody would act on. `q` is `p` after the correction for
    all figures of the run.
    """

    fingerprint: str
    plan: str
    metric: str
    subject: str
    outcome: str  # a verdict's word
    klass: str  # REGRESSION, SUSPECT, FASTER, DATED, NO_BASELINE, FEW_SAMPLES
    fact: str
    level: float  # tonight's, in the metric's unit
    k: int  # samples it rests on
    excluded: int  # that were taken and must not count
    effect: float = 0.0
    floor: float = 0.0
    p: float = 1.0
    q: float = 1.0
    baseline: tuple[str, ...] = ()  # its runs, the oldest first
    digest: str = ""  # of the baseline's runs and samples
    suspects: int = 0  # nights before this one that were as bad, and are not among the baseline's
    first: str = ""  # the first run of a worsening that is still open; '' when it is tonight's
    changes: tuple[str, ...] = ()  # what is known of the series since the baseline, in words
    next_step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTaken(Record):
    node: str
    waited_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReleased(Record):
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMeasured(Record):
    """The node's monotonic clock minus the controller's, +- `bound_s`; its wall clock likewise."""

    node: str
    offset_s: float
    bound_s: float
    wall_offset_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts(Record):
    """What a node says of itself before a run, key by key; `unknown` maps a key to why it is."""

    node: str
    facts: dict[str, str]
    unknown: dict[str, str] = field(default_factory=dict)
    cost_s: float = 0.0  # what reading it took there


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightEnded(Record):
    """All nodes compared: how many keys, what nobody could read, what may and what must not be."""

    nodes: tuple[str, ...]
    checked: int
    duration_s: float
    unknown: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """Free text that a person may want to read."""

    text: str
    node: str = ""
    role: str = ""


# -- a role ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleStarted(Record):
    node: str
    role: str
    pid: int
    command: tuple[str, ...]
    cpus: str = ""  # that the kernel lets it run on, read after it had started


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleReady(Record):
    """The role echoes the nonce it was given: nobody else's listener can be mistaken for it."""

    node: str
    role: str
    nonce: str
    pid: int
    address: str = ""
    port: int = 0
    addresses: tuple[str, ...] = ()  # of a program's data NICs, in channel order


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFailed(Record):
    """What a role says of its own failure before it exits."""

    node: str
    role: str
    klass: str
    message: str
    channel: int = -1
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleExited(Record):
    """The leash's death note: `reason` is exited | killed | deadline | silence | stopped."""

    node: str
    role: str
    code: int  # the exit status; -N when signal N ended it
    reason: str
    stderr_tail: str = ""
    cpu_s: float = 0.0
    max_rss_bytes: int = 0
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Record):
    """A role's sign of life, several a second, and how far it has come by its own account."""

    node: str
    role: str
    bytes: int
    of_bytes: int


# -- the transport, as a role sees it ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMapped(Record):
    """What the role says: channel -> plugin device -> NIC. Believed only when sockets agree."""

    node: str
    role: str
    channel: int
    device: int
    nic: str
    handle_address: str  # read from the handle's first bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSeen:
    """One TCP socket with its TCP_INFO, read before it was closed (or by the observer, live)."""

    local_address: str
    local_port: int
    peer_address: str
    peer_port: int
    nic: str = ""  # owner of the local address
    bound_device: str = ""  # SO_BINDTODEVICE
    state: str = ""
    bytes_sent: int = 0  # payload of TCP, retransmissions included
    bytes_acked: int = 0
    bytes_received: int = 0
    bytes_retrans: int = 0
    segs_out: int = 0
    segs_in: int = 0
    rtt_us: int = 0

    @property
    def ends(self) -> tuple[str, int, str, int]:
        """What tells it from every other socket of its node."""
        return (self.local_address, self.local_port, self.peer_address, self.peer_port)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSockets(Record):
    node: str
    role: str
    channel: int
    sockets: tuple[SocketSeen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSteered(Record):
    """A plugin had a data socket's flow steered to a GPU, or undid that; told by the stand-in for
    the receive daemon, which it asked."""

    node: str
    role: str
    what: str  # install | remove
    source_address: str
    source_port: int
    destination_address: str
    destination_port: int
    gpu: str  # PCI address


@dataclass(frozen=True, slots=True, kw_only=True)
class IterationDone(Record):
    node: str
    role: str
    iteration: int
    bytes: int
    chunks: int
    started_s: float
    ended_s: float
    cpu_s: float = 0.0  # of the role's processes, since their transfer began


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBusy(Record):
    """What a node's CPUs did while a role's work ran there, all CPUs added up.

    Nodes that are namespaces or containers of one `machine` count the same CPUs.
    """

    node: str
    role: str
    machine: str = ""  # '' where it is hidden
    programs_s: float  # given to programs, or taken by a hypervisor
    rest_s: float  # idle, waiting, in interrupts
    own_s: float  # the part of `programs_s` that the role's own processes had


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDone(Record):
    """A channel's totals over all iterations; the receiver alone can say what it verified."""

    node: str
    role: str
    channel: int
    bytes: int
    chunks: int
    frame_bytes: int  # headers that the transport added, on its sockets; -1: only it knows
    bytes_verified: int = 0
    words_verified: int = 0
    started_s: float = 0.0
    ended_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage(Record):
    """Wrong words of one chunk, decoded: `kind` is one of the payload's eight words for damage."""

    node: str
    channel: int
    iteration: int
    chunk: int
    kind: str
    words_wrong: int
    first_word: int
    last_word: int
    source_iteration: int = -1
    source_channel: int = -1
    source_chunk: int = -1
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Record):
    """What a bootstrap or window exercise saw: a named number and a sentence."""

    node: str
    role: str
    subject: str  # e.g. handles_received, handles_refused, recv_posted, recv_refused
    value: int
    detail: str = ""
    channel: int = -1


# -- a role that is somebody else's program ----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramStarted(Record):
    """What a role runs instead of our own code, and what its plan lets one expect of it."""

    node: str
    role: str
    program: str
    place: str  # of its binary
    commands: tuple[str, ...]  # as a shell would take them; none: it only attends
    environment: dict[str, str]  # what was added to the node's own
    due_bytes: int = 0  # payload that this role's processes move together
    processes: tuple[int, ...] = ()  # that speak of what they moved
    iterations: int = 0  # that each of them speaks of
    success: str = ""  # words without which it did not succeed, whatever its exit status


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSaid(Record):
    """A figure that a program printed, in our units, and the line that it comes from.

    `what` is, of an iteration: iteration_bytes, iteration_chunks, iteration_chunks_due,
    iteration_s, chunk_bytes, aborted; of a process: iterations, total_bytes, total_s, average_s,
    rate_gb_s (1e9 bytes a second), wrong_values, success, error; of a channel: nic_score,
    connected.
    """

    node: str
    role: str
    what: str
    value: float
    line: str
    process: int = 0  # which of the program's processes: a GPU's or a channel's number
    iteration: int = -1
    channel: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSockets(Record):
    """TCP sockets as the kernel last counted them, closed ones at their very end.

    `own` are of the program's process tree; `others` used the node's data NICs meanwhile. Where
    `losses` or `left_out` is not 0, there may have been more than these, or these carried more.
    """

    node: str
    role: str
    own: tuple[SocketSeen, ...]
    others: tuple[SocketSeen, ...] = ()
    losses: int = 0  # how often the kernel closed more sockets than could be heard of
    left_out: int = 0  # sockets beyond those that a record may have


# -- the node, as the observer sees it ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NicCount:
    """One NIC's counters since boot (psutil)."""

    name: str
    bytes_sent: int
    bytes_recv: int
    packets_sent: int
    packets_recv: int
    errors: int = 0  # in + out
    drops: int = 0  # in + out
    up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NicCounters(Record):
    """All NICs of a node, lo too. `phase`: idle (before) | sample | settled (after)."""

    node: str
    phase: str
    at_s: float
    nics: tuple[NicCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketsSeen(Record):
    """TCP sockets of a node as the kernel lists them, during an exchange."""

    node: str
    at_s: float
    sockets: tuple[SocketSeen, ...] = field(default=())


# -- a node's GPUs, as the observer sees them through NVML; None: it does not say ---------------


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuProcess:
    """A process with memory on a GPU. Sessions tell roles: the leash gives each one of its own."""

    pid: int
    memory_bytes: int | None
    name: str = ""
    session: int = -1  # -1 where /proc does not know the pid
    inner_pid: int = -1  # what the process itself takes for its pid


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuLoad(Record):
    """Who is on a GPU and how fast it may run, now. `phase`: idle | sample | settled."""

    node: str
    gpu: int
    uuid: str
    phase: str
    at_s: float
    memory_used_bytes: int | None = None  # without what the driver keeps for itself
    processes: tuple[GpuProcess, ...] = ()
    sees_all: bool = False  # processes of every PID namespace, not of this one alone
    sm_clock_mhz: int | None = None
    memory_clock_mhz: int | None = None
    throttle: tuple[str, ...] = ()  # why clocks are lower than they could be; "unknown"
    xids: tuple[int, ...] = ()  # since the reading before
    trouble: str = ""  # NVML's own words when it cannot reach the GPU


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuHealth(Record):
    """A GPU's counters, before and after an exchange. `phase`: idle | settled."""

    node: str
    gpu: int
    uuid: str
    phase: str
    at_s: float
    name: str = ""
    ecc_corrected: int | None = None  # since the driver was loaded
    ecc_uncorrected: int | None = None
    ecc_corrected_ever: int | None = None
    ecc_uncorrected_ever: int | None = None
    rows_remapped: int | None = None
    remap_pending: bool | None = None
    remap_failed: bool | None = None
    pcie_replays: int | None = None
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    xid_events: bool = False  # whether an Xid would have been heard
    throttled_ns: dict[str, int] = field(default_factory=dict)  # reason -> total


@dataclass(frozen=True, slots=True, kw_only=True)
class NicPlace:
    """A NIC as seen from a GPU. `hops` counts PCI links; -1: another root, or not on PCI."""

    name: str
    bus_id: str = ""  # '' for a virtual NIC
    numa: int = -1
    hops: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuPlace(Record):
    """Where a GPU sits in its machine, and how far every NIC is from it."""

    node: str
    gpu: int
    uuid: str
    bus_id: str
    numa: int = -1
    nics: tuple[NicPlace, ...] = ()


# -- to and from JSON --------------------------------------------------------------------------


def _subclasses(cls: type[Record]) -> dict[str, type[Record]]:
    return {c.__name__: c for c in cls.__subclasses__()}


def encode(record: Record) -> dict[str, Any]:
    """A JSON-ready dict with the record's kind first."""
    return {"type": type(record).__name__, **_parts(record)}


# Values that hold no others; nearly all fields are of these.
ATOMS = frozenset({str, int, float, bool, type(None)})


def _parts(whole: Any) -> dict[str, Any]:
    """A dataclass as dataclasses.asdict makes it, in a sixth of the time: observers write a lot."""
    return {
        name: part if type(part := getattr(whole, name)) in ATOMS else _plain(part)
        for name in whole.__dataclass_fields__
    }


def _plain(value: Any) -> Any:
    """Dataclasses, wherever they are inside, become dicts; containers stay what they are."""
    kind = type(value)
    if kind in (tuple, list):
        return kind([_plain(item) for item in value])
    if kind is dict:
        return {key: _plain(item) for key, item in value.items()}
    return _parts(value) if is_dataclass(value) else value


def decode(body: Mapping[str, Any]) -> Record:
    """The record that `encode` made; raises EvidenceError for anything else."""
    kinds = _subclasses(Record)
    kind = body.get("type") if isinstance(body, Mapping) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise EvidenceError(f"unknown record {kind!r}", expected=f"one of {sorted(kinds)}")
    cls = kinds[kind]
    try:
        return cls(**_typed(cls, {k: v for k, v in body.items() if k != "type"}))
    except TypeError as error:
        raise EvidenceError(f"a {kind} that cannot be read: {error}") from error


_TUPLES: dict[type, dict[str, Any]] = {}  # of each record its tuples' items, looked up once


def _typed(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    """Lists become the tuples, and dicts the dataclasses, that the fields are declared as."""
    if cls not in _TUPLES:
        names = {f.name for f in fields(cls)}
        hints = {k: v for k, v in typing.get_type_hints(cls).items() if k in names}
        _TUPLES[cls] = {
            k: typing.get_args(v)[0] for k, v in hints.items() if typing.get_origin(v) is tuple
        }
    for name, item in _TUPLES[cls].items():
        if name in values:
            nested = is_dataclass(item)
            values[name] = tuple(item(**v) if nested else v for v in values[name])
    return values
