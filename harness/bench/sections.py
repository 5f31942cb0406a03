"""The sections of a bench: each measures one thing on testbeds of its own and fills the sheet.

A section that breaks is named in the sheet; what others measured stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.bench import growth, host, messages, overhead
from harness.bench.bed import Bed
from harness.bench.case import CASES, FAST, SLOW, Case
from harness.bench.overhead import Overhead
from harness.bench.peers import Peer
from harness.bench.rounds import Rounds, Show
from harness.bench.rows import rows
from harness.bench.sheet import Sheet
from harness.errors import HarnessError
from harness.evidence import Journal

QUICK_IDLE_S, IDLE_S = 2.0, 20.0
AGAIN = 2  # more attempts at a disturbed figure


@dataclass(slots=True, kw_only=True)
class Sections:
    """What to measure, and where it goes."""

    sheet: Sheet
    journal: Journal
    peers: Sequence[Peer]
    cases: Sequence[str]
    channels: Sequence[int]
    rounds: int
    seconds: float
    quick: bool
    show: Show

    def measure(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                SECTIONS[name](self)
            except HarnessError as error:
                self.sheet.errors.append(f"{name}: {error.headline}")
                self.show(f"{name}: ERROR {error.headline}")

    @property
    def _idle_s(self) -> float:
        return QUICK_IDLE_S if self.quick else IDLE_S

    def _bed(self, case: Case) -> Bed:
        return Bed(case, self.journal, idle_s=self._idle_s)

    def rates(self) -> None:
        """Every case, peer by peer in turns."""
        rounds = Rounds(
            peers=self.peers,
            channels=self.channels,
            rounds=self.rounds,
            seconds=self.seconds,
            again=0 if self.quick else AGAIN,
            show=self.show,
        )
        for case in CASES:
            if case.name in self.cases:
                with self._bed(case) as bed:
                    taken = rounds.take(bed)
                self.sheet.taken[case.name] = taken
                self.sheet.rows += rows(case.name, taken, case.line_gb_s)

    def host(self) -> None:
        """One core, no wire."""
        self.show("host: copying, filling, verifying and unpacking")
        found = host.measure(self.rounds, idle_s=self._idle_s)
        self.sheet.rows += rows(host.NAME, host.taken(found))
        self.sheet.alone["host-verification-of-copy"] = host.verification_share(found)

    def overhead(self) -> None:
        """The harness's own cost."""
        self.show("overhead: warm exchanges, the observer, a role's memory")
        with self._bed(SLOW) as bed:
            phases, fixed_s, controller_cpu_s = overhead.fixed_cost(bed, self.rounds)
            core_share, samples_s = overhead.observer_cost(bed)
        with self._bed(FAST) as bed:
            memory = overhead.role_memory(bed)
        self.sheet.overhead = Overhead(
            phases=phases,
            fixed_s=fixed_s,
            controller_cpu_s=controller_cpu_s,
            observer_core_share=core_share,
            observer_samples_s=samples_s,
            role_memory_bytes=memory,
        )
        self.sheet.alone |= self.sheet.overhead.alone()

    def messages(self) -> None:
        """Rates and times by size."""
        self.show("messages: rates and times by size")
        with self._bed(FAST) as bed:
            for one in messages.measure(bed, self.rounds):
                self.sheet.messages.append(one)
                self.show(
                    f"messages of {one.chunk_bytes:,} bytes: {one.per_s.median:,.0f} a second"
                )

    def growth(self) -> None:
        """Costs against bytes, channels and iterations."""
        self.show("growth: costs against bytes, channels and iterations")
        with self._bed(FAST) as bed:
            self.sheet.growth = growth.measure(bed, self.show, small=self.quick)


SECTIONS: dict[str, Callable[[Sections], None]] = {
    "rates": Sections.rates,
    "host": Sections.host,
    "overhead": Sections.overhead,
    "messages": Sections.messages,
    "growth": Sections.growth,
}
