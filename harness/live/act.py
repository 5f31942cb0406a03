"""One exchange while it runs: its phase, how far it has come, how fast, and who is silent."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.evidence import (
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    IterationDone,
    Judged,
    LeaseReleased,
    LeaseTaken,
    NicCounters,
    Progress,
    Record,
    RoleExited,
    RoleReady,
    RoleStarted,
)
from harness.live.rates import Rates
from harness.plan import Plan
from harness.verdict import Outcome, worst

SILENT_S = 1.5  # a role speaks four times a second, an observer twenty times
OBSERVER = "observer"


@dataclass(slots=True)
class Act:
    """What was seen of an exchange so far. Times are the controller's wall clock."""

    name: str
    worker: str
    planned: ExchangePlanned
    began_s: float
    plan: Plan = field(init=False)
    leased: set[str] = field(default_factory=set)
    ready: set[str] = field(default_factory=set)
    exited: set[str] = field(default_factory=set)
    bytes: int = 0
    of_bytes: int = 0
    iterations: list[IterationDone] = field(default_factory=list)  # as the client tells of them
    judged: list[Judged] = field(default_factory=list)
    ended_s: float = 0.0
    problem: str = ""
    rates: dict[str, Rates] = field(default_factory=dict)  # by node
    _heard_s: dict[tuple[str, str], float] = field(default_factory=dict)  # role, node

    def __post_init__(self) -> None:
        self.plan = Plan.from_json(self.planned.plan)

    @property
    def nodes(self) -> list[str]:
        """Server's and client's, which may be one, in the order in which they are leased."""
        return sorted({self.planned.server, self.planned.client})

    @property
    def outcome(self) -> Outcome | None:
        """The verdict, once all claims have theirs."""
        if len(self.judged) < len(dict.fromkeys(self.plan.claims)):
            return None
        return worst(Outcome[one.outcome] for one in self.judged)

    @property
    def gb_s(self) -> float:
        """Payload of the iterations so far a second, by the client's clock."""
        done = self.iterations
        if not done:
            return 0.0
        elapsed_s = max(d.ended_s for d in done) - min(d.started_s for d in done)
        return sum(d.bytes for d in done) / elapsed_s / 1e9 if elapsed_s > 0 else 0.0

    @property
    def phase(self) -> str:
        if self.ended_s:
            return "ended" if self.outcome is None else self.outcome.name
        if self.exited:
            return "ends"
        if self.bytes:
            return "moves data"
        if "server" in self.ready:
            return "connects"
        waiting = [node for node in self.nodes if node not in self.leased]
        return f"waits for {waiting[0]}" if waiting else "starts"

    def take(self, entry: Entry) -> None:
        """Note one more record of this exchange."""
        record = entry.record
        self._hear(record, entry.wall_s)
        if isinstance(record, NicCounters):
            self.rates.setdefault(record.node, Rates()).take(record)
        elif isinstance(record, Progress):
            self._advance(record)
        elif isinstance(record, IterationDone) and record.role == "client":
            self.iterations.append(record)
        elif isinstance(record, LeaseTaken):
            self.leased.add(record.node)
        elif isinstance(record, RoleReady):
            self.ready.add(record.role)
        elif isinstance(record, RoleExited):
            self.exited.add(record.role)
        elif isinstance(record, Judged):
            self.judged.append(record)
        elif isinstance(record, ExchangeEnded):
            self.ended_s, self.problem = entry.wall_s, record.problem

    def silent(self, now_s: float) -> dict[str, float]:
        """Who should speak and has not for how long, by `role on node`."""
        if self.ended_s:
            return {}
        quiet = {who: now_s - heard_s for who, heard_s in self._heard_s.items()}
        return {f"{role} on {node}": s for (role, node), s in quiet.items() if s > SILENT_S}

    def _advance(self, progress: Progress) -> None:
        """The receiver's account; the sender's only until there is one."""
        if progress.role == "server" or "server" not in self.ready:
            self.bytes, self.of_bytes = progress.bytes, progress.of_bytes

    def _hear(self, record: Record, wall_s: float) -> None:
        """Roles are waited for from their start to their exit, observers while they sample."""
        node = getattr(record, "node", "")
        if isinstance(record, RoleExited):
            self._heard_s.pop((record.role, node), None)
        elif isinstance(record, NicCounters):
            if record.phase == "settled":
                self._heard_s.pop((OBSERVER, node), None)
            else:
                self._heard_s[OBSERVER, node] = wall_s
        elif isinstance(record, RoleStarted) or (_role(record), node) in self._heard_s:
            self._heard_s[_role(record), node] = wall_s
        elif isinstance(record, LeaseReleased):
            self._heard_s.clear()


def _role(record: Record) -> str:
    return str(getattr(record, "role", ""))
