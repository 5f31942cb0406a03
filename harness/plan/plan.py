"""The Plan: frozen, complete, and ignorant of any machine.

Both roles get the same plan. What differs between them (node, NIC names, addresses) is in the
Assignment. Defaults are the ones of the transport's own documents; limits are the plugin's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from harness.errors import PlanError
from harness.plan.fault import Fault

KIB = 1024
MIB = 1024 * KIB

PAGE_BYTES = 4 * KIB
MAX_CHANNELS = 64
MAX_CHUNK_BYTES = 2048 * PAGE_BYTES  # 2048 descriptors of one page
MAX_ITERATIONS = 1 << 14  # what the payload's word has bits for
MAX_CHUNKS = 1 << 24
MAX_REQUESTS = 16
MEMORIES = ("host", "cuda")
TRANSPORTS = ("sockets", "nccl-net")
RXDMS = ("", "stand-in")
DISTRIBUTIONS = ("round-robin", "least-loaded")
MAX_GRANTS = 1 << 32  # a grant names its chunk in 32 bits
# Faults that are planted in a place which only round-robin knows before.
PLACED_FAULTS = ("swap", "stale", "withhold", "short")
# Receives that a channel of a least-loaded transfer has posted: few, so that a slow NIC is never
# left with many chunks at the end; and still some milliseconds ahead of its line.
DEALT_AHEAD = 4

# What an exchange may promise to settle. Each has one check in harness/verdict.
CLAIMS = {
    "roles": "both roles started, were ready, and exited with 0",
    "delivery": "bytes of the plan = bytes both roles claim = bytes unpacked and verified",
    "integrity": "every word is the one that was sent for that place",
    "mapping": "every channel's sockets are on the NIC it should use, on both nodes",
    "sockets": "every socket carried its payload and frame headers, to the byte",
    "traffic": "every NIC's counters rose by what its sockets explain",
    "quiet": "every other NIC, and lo, stayed flat",
    "fairness": "every NIC carried its share of the chunks",
    "bootstrap": "the handles arrived as announced, or were refused by name",
    "window": "the windows hold what they should and refuse one more",
    "gpu": "the plan's GPUs were used by its roles, stayed healthy and gave all memory back",
    "figures": "the rates that a program prints are what its bytes and its times make",
    "agents": "the agents took every step of their contract, and refused what comes after the last",
    "steering": "the flow of every data socket was steered to one GPU, no other was, all undone",
    "rails": "a program that spreads its bytes by itself used the NICs it was given, each of them",
}
TRANSFER_CLAIMS = ("roles", "delivery", "integrity", "mapping", "sockets", "traffic", "quiet")
# What the evidence around somebody else's program can settle: nobody but itself sees its payload.
PROGRAM_CLAIMS = ("roles", "delivery", "mapping", "traffic", "quiet", "figures")
AGENT_CLAIMS = ("roles", "delivery", "integrity", "agents", "rails", "traffic", "quiet")
EXERCISES = {
    "transfer": TRANSFER_CLAIMS,
    "bootstrap": ("roles", "bootstrap"),
    "window": ("roles", "window"),
    "nixl-write": AGENT_CLAIMS,
    "nixl-read": AGENT_CLAIMS,
}


AGENT_EXERCISES = ("nixl-write", "nixl-read")
AGENT_FAULTS = ("flip", "stale", "zeros", "drop", "hang", "die", "exit", "one_nic", "loopback")
MAX_RAILS = 16
MAX_PORT = 65535
BOUNDS = {
    "channels": (1, MAX_CHANNELS),
    "size_bytes": (1, 1 << 40),
    "chunk_bytes": (1, MAX_CHUNK_BYTES),
    "iterations": (1, MAX_ITERATIONS),
    "registrations": (1, 64),
    "sockets_per_channel": (1, 8),
    "recv_window": (1, MAX_REQUESTS),
    "send_window": (1, MAX_REQUESTS),
    "port_base": (1, MAX_PORT),
    "gpu": (0, 255),
}
CHOICES = {
    "exercise": tuple(sorted(EXERCISES)),
    "memory": MEMORIES,
    "transport": TRANSPORTS,
    "rxdm": RXDMS,
    "distribution": DISTRIBUTIONS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One exchange between a server (receives) and a client (sends)."""

    exercise: str = "transfer"
    channels: int = 4
    size_bytes: int = 64 * MIB  # an iteration
    chunk_bytes: int = 512 * KIB
    iterations: int = 1
    registrations: int = 1  # the buffer is registered in at most so many pieces, cut between chunks
    sockets_per_channel: int = 1
    recv_window: int = 16
    send_window: int = 12
    memory: str = "host"
    transport: str = "sockets"
    plugin: str = ""  # of nccl-net: the shared object's path, the same on both nodes
    rxdm: str = ""  # what answers a plugin as the receive daemon: the node's own, or "stand-in"
    gpu: int = 0
    own_nic: bool = False  # all channels on the NIC that the inventory pairs with the GPU
    port_base: int = 20000  # the bootstrap listens on port_base + gpu
    seed: int = 0
    acknowledged: bool = False  # the client waits for the server's word after every iteration
    prepared: bool = False  # the sender writes the payload once, before the clock starts
    deadline_s: float = 30.0
    rails: int = 0  # NICs that a program spreads its bytes over by itself; 0: channels are planned
    backend: str = "UCX"  # of agents
    plugins: str = ""  # a folder on the nodes with agents' plugins; '' is the library's own
    distribution: str = "round-robin"  # or "least-loaded": each channel draws chunks as it can
    program: str = ""  # name or path of what both roles run instead of our code: harness/programs
    arguments: tuple[str, ...] = ()  # given to the program besides what the plan makes of it
    claims: tuple[str, ...] = ()  # () means: all that the exercise can settle; see __post_init__
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise PlanError("; ".join(problems), where="plan")
        default = PROGRAM_CLAIMS if self.program else EXERCISES[self.exercise]
        claims = self.claims or default
        # Who answers for what was delivered answers for the GPUs that it was delivered to, and for
        # how its flows came there.
        whole = not self.claims or "delivery" in self.claims
        more = {"gpu": self.is_on_gpus, "steering": self.is_steered}
        added = (claim for claim, has in more.items() if has and whole and claim not in claims)
        object.__setattr__(self, "claims", claims + tuple(added))

    @property
    def chunks(self) -> int:
        """Chunks of one iteration, the odd last one included."""
        return -(-self.size_bytes // self.chunk_bytes)

    @property
    def total_bytes(self) -> int:
        return self.size_bytes * self.iterations

    @property
    def port(self) -> int:
        return self.port_base + self.gpu

    @property
    def is_on_gpus(self) -> bool:
        """Whether the buffers are in GPUs' memory."""
        return self.memory == "cuda"

    @property
    def is_steered(self) -> bool:
        """Whether a stand-in for the receive daemon tells which flows a transfer had steered."""
        return self.rxdm == "stand-in" and self.exercise == "transfer"

    @property
    def is_dealt(self) -> bool:
        """Whether channels draw their chunks, so that nobody knows before which carries which."""
        return self.distribution == "least-loaded"

    @property
    def receives_ahead(self) -> int:
        """Receives that a channel has posted at most."""
        return min(self.recv_window, DEALT_AHEAD) if self.is_dealt else self.recv_window

    @property
    def piece_bytes(self) -> int:
        """Bytes of a registered piece; the last one may be shorter."""
        return -(-self.chunks // self.registrations) * self.chunk_bytes

    @property
    def pieces(self) -> int:
        """How many pieces are registered."""
        return -(-self.size_bytes // self.piece_bytes)

    def chunk_size(self, chunk: int) -> int:
        """Bytes of `chunk` (0-based, in one iteration)."""
        return min(self.chunk_bytes, self.size_bytes - chunk * self.chunk_bytes)

    def channel_of(self, chunk: int) -> int:
        """Round-robin: chunk i travels on channel i mod n. Its words say so in any distribution."""
        return chunk % self.channels

    def channel_bytes(self, channel: int) -> int:
        """Payload bytes of one iteration on `channel`."""
        return sum(map(self.chunk_size, range(channel, self.chunks, self.channels)))

    def channel_chunks(self, channel: int) -> int:
        """Chunks of one iteration on `channel`."""
        return len(range(channel, self.chunks, self.channels))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Plan:
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(body) - known)
        if unknown:
            raise PlanError(f"unknown fields {unknown}", expected=f"some of {sorted(known)}")
        values = dict(body)
        values["claims"] = tuple(values.get("claims", ()))
        values["arguments"] = tuple(values.get("arguments", ()))
        values["faults"] = tuple(Fault(**f) for f in values.get("faults", ()))
        return cls(**values)


def _problems(plan: Plan) -> list[str]:
    """Every reason why the plan cannot be run, in words."""
    rules = (
        _out_of_bounds,
        _unheard_of,
        _unconnected,
        _unsettled,
        _unspreadable,
        _unplugged,
        _not_own,
        _not_agents,
        _not_a_programs,
    )
    found = [problem for rule in rules for problem in rule(plan)]
    return found or [*_too_many(plan), *_undealable(plan)]  # which reckon with sound numbers


def _out_of_bounds(plan: Plan) -> list[str]:
    found = [
        f"{name} is {value}, expected {low}..{high}"
        for name, (low, high) in BOUNDS.items()
        if not low <= (value := getattr(plan, name)) <= high
    ]
    if plan.port > MAX_PORT:
        found.append(f"port_base + gpu is {plan.port}, expected at most {MAX_PORT}")
    return found


def _unheard_of(plan: Plan) -> list[str]:
    found = [
        f"{name} is {value!r}, expected one of {list(known)}"
        for name, known in CHOICES.items()
        if (value := getattr(plan, name)) not in known
    ]
    if unknown := sorted(set(plan.claims) - set(CLAIMS)):
        found.append(f"claims {unknown} are unknown, expected some of {sorted(CLAIMS)}")
    return found


def _unconnected(plan: Plan) -> list[str]:
    """A plugin and what answers it belong to one transport."""
    plugged = plan.transport == "nccl-net"
    found = []
    if plugged != bool(plan.plugin):
        found.append(
            f"plugin is {plan.plugin!r} for the transport {plan.transport!r}, "
            "expected a path on both nodes for 'nccl-net' and for no other"
        )
    if plan.rxdm and not plugged:
        found.append(f"rxdm is {plan.rxdm!r}, which only the transport 'nccl-net' asks")
    return found


def _unsettled(plan: Plan) -> list[str]:
    """Claims of which the plan gives no evidence."""
    found = []
    if "gpu" in plan.claims and not plan.is_on_gpus:
        found.append(f"the claim 'gpu' needs memory 'cuda', not {plan.memory!r}")
    if "steering" in plan.claims and not plan.is_steered:
        found.append("the claim 'steering' needs a transfer with rxdm 'stand-in'")
    return found


def _not_a_programs(plan: Plan) -> list[str]:
    if not plan.program:
        given = list(plan.arguments)
        return [f"arguments {given} are for a program, and none is named"] if given else []
    if plan.faults or plan.is_dealt:
        return [f"{plan.program} commits no planted faults and deals no chunks"]
    return []


def _too_many(plan: Plan) -> list[str]:
    if plan.chunks <= MAX_CHUNKS:
        return []
    return [f"{plan.chunks} chunks, expected at most {MAX_CHUNKS}; use larger chunks"]


def _unspreadable(plan: Plan) -> list[str]:
    """Agents have one connection over their rails; everybody else has channels and no rails."""
    if plan.exercise in AGENT_EXERCISES:
        wrong = plan.channels != 1 or not 1 <= plan.rails <= MAX_RAILS or plan.is_dealt
        expected = f"1 channel and 1..{MAX_RAILS} rails, round-robin"
    else:
        wrong, expected = plan.rails != 0, "no rails"
    seen = f"{plan.channels} channels and {plan.rails} rails for the exercise {plan.exercise!r}"
    return [f"{seen}, expected {expected}"] if wrong else []


def _unplugged(plan: Plan) -> list[str]:
    """Programs and agents bring a transport of their own and take host memory."""
    who = plan.program or (plan.exercise if plan.exercise in AGENT_EXERCISES else "")
    own = {"memory": MEMORIES[0], "transport": TRANSPORTS[0]} if who else {}
    return [
        f"{name} is {value!r} for {who}, which knows none of ours, expected {only!r}"
        for name, only in own.items()
        if (value := getattr(plan, name)) != only
    ]


def _not_own(plan: Plan) -> list[str]:
    """Whose NICs are chosen by somebody else cannot keep to one GPU's."""
    who = plan.program or (plan.exercise if plan.exercise in AGENT_EXERCISES else "")
    return [f"own_nic is for channels of ours, not for {who}"] if plan.own_nic and who else []


def _not_agents(plan: Plan) -> list[str]:
    """What only agents can settle, and what agents never do."""
    if plan.exercise in AGENT_EXERCISES and not plan.program:
        kinds = sorted({fault.kind for fault in plan.faults} - set(AGENT_FAULTS))
        return [f"agents commit no faults {kinds}"] if kinds else []
    claims = sorted({"agents", "rails"} & set(plan.claims))
    return [f"claims {claims} are of agents, expected an exercise of theirs"] if claims else []


def _undealable(plan: Plan) -> list[str]:
    """Why chunks of this plan cannot be dealt to whichever channel has room."""
    if not plan.is_dealt:
        return []
    placed = sorted({f.kind for f in plan.faults} & set(PLACED_FAULTS))
    reasons = {
        f"deals the chunks of a transfer, not of the exercise {plan.exercise!r}": (
            plan.exercise != "transfer"
        ),
        "has no share that a channel should have: the claim 'fairness' needs round-robin": (
            "fairness" in plan.claims
        ),
        "deals across iterations: acknowledged iterations need round-robin": plan.acknowledged,
        f"knows no chunk's channel before: the faults {placed} need round-robin": bool(placed),
        f"deals at most {MAX_GRANTS} chunks, all iterations together": (
            plan.chunks * plan.iterations > MAX_GRANTS
        ),
    }
    return [f"least-loaded {reason}" for reason, holds in reasons.items() if holds]
