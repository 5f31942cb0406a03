"""From the entries of an exchange to one verdict a claim, and from those to the one cause.

The cause is the finding above PASS that rests on the earliest sight; what came later is an echo
and is listed under it. At the same instant the graver outcome goes first, then the order of claims
in the plan. The bench needs no rule of its own here: where it broke, every verdict that its trouble
could have made is replaced by the trouble before causes are compared, and only what no lost
connection can fake (damaged words, a socket on the wrong NIC, a crash) stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.evidence import ClaimMade, Entry, ExchangeEnded, ExchangePlanned, Judged
from harness.verdict.agents import agents
from harness.verdict.bootstrap import bootstrap
from harness.verdict.delivery import delivery
from harness.verdict.exchange import Exchange
from harness.verdict.fairness import fairness
from harness.verdict.finding import breaks, headline
from harness.verdict.gpu import gpu
from harness.verdict.integrity import integrity
from harness.verdict.mapping import mapping
from harness.verdict.next_step import next_step
from harness.verdict.outcome import Outcome
from harness.verdict.program.delivery import delivery as program_delivery
from harness.verdict.program.figures import figures
from harness.verdict.program.mapping import mapping as program_mapping
from harness.verdict.program.roles import roles as program_roles
from harness.verdict.quiet import quiet
from harness.verdict.rails import rails
from harness.verdict.roles import roles
from harness.verdict.sockets import sockets
from harness.verdict.steering import steering
from harness.verdict.traffic import traffic
from harness.verdict.window import window

CHECKS: dict[str, Callable[[Exchange], Judged]] = {
    "roles": roles,
    "delivery": delivery,
    "integrity": integrity,
    "mapping": mapping,
    "sockets": sockets,
    "traffic": traffic,
    "quiet": quiet,
    "fairness": fairness,
    "bootstrap": bootstrap,
    "window": window,
    "gpu": gpu,
    "figures": figures,
    "agents": agents,
    "rails": rails,
    "steering": steering,
}
# Where somebody else's program is judged by other evidence than a role of ours.
PROGRAM_CHECKS = {
    "roles": program_roles,
    "delivery": program_delivery,
    "mapping": program_mapping,
}
DAMAGE = frozenset(
    {"BITFLIP", "SWAP", "STALE", "DUPLICATE", "SHIFT", "TRUNCATED", "MISSING", "UNWRITTEN"}
)
# What trouble on the bench cannot make: it stands although the bench broke.
STANDING = DAMAGE | {
    "MAPPING",
    "LOOPBACK",
    "LINK_DOWN",
    "INVENTORY",
    "GPU_ECC",
    "GPU_XID",
    "GPU_LOST",
    "READY_IDENTITY",
    "ROLE_CRASH",
    "PLUGIN_CRASH",
}


def judge(entries: Sequence[Entry]) -> tuple[Judged, ...]:
    """Exactly one verdict for each claim of the plan of the only exchange among `entries`."""
    if not any(isinstance(entry.record, ExchangePlanned) for entry in entries):
        return (_nothing("no exchange was planned among these entries"),)
    return judge_exchange(Exchange(entries))


def judge_exchange(exchange: Exchange) -> tuple[Judged, ...]:
    """The same of an exchange that is known already, as one of a mesh is."""
    trouble = _trouble(exchange)
    claims = dict.fromkeys(exchange.plan.claims)
    return tuple(_settled(exchange, claim, trouble) for claim in claims)


def cause(judged: Sequence[Judged]) -> Judged:
    """The headline of an exchange, with the other findings as its echoes."""
    if not judged:
        return _nothing("no claim was judged")
    found = [(one.at_s, -Outcome[one.outcome], at) for at, one in enumerate(judged) if _red(one)]
    if not found:
        return judged[0]
    first, *others = (judged[at] for _, _, at in sorted(found))
    return replace(first, evidence=(*first.evidence, *(f"also: {headline(o)}" for o in others)))


def unsettled(entries: Sequence[Entry]) -> tuple[Judged, ...]:
    """An ERROR for every claim, of a test or of an exchange's plan, that has no verdict."""
    promised: Counter[tuple[str, str, str]] = Counter()
    for entry in entries:
        record = entry.record
        if isinstance(record, ClaimMade):
            promised[entry.exchange, record.test, record.claim] += 1
        elif isinstance(record, ExchangePlanned):
            claims = dict.fromkeys(Exchange([entry]).plan.claims)
            promised.update((entry.exchange, record.test, claim) for claim in claims)
    settled = Counter(
        (e.exchange, e.record.test, e.record.claim) for e in entries if isinstance(e.record, Judged)
    )
    return tuple(_open(*claim) for claim in (promised - settled).elements())


def _settled(exchange: Exchange, claim: str, trouble: tuple[str, str, str] | None) -> Judged:
    checks = CHECKS | PROGRAM_CHECKS if exchange.plan.program else CHECKS
    judged = checks[claim](exchange)
    if trouble is None or judged.klass in STANDING:
        return judged
    klass, fact, node = trouble
    own = [f"without it: {headline(judged)}"] if _red(judged) else []
    at_s = exchange.ended_s
    return breaks(exchange, claim, klass, fact, at_s=at_s, node=node, evidence=own)


def _trouble(exchange: Exchange) -> tuple[str, str, str] | None:
    """Class, fact and node of what went wrong with the bench; None when nothing did."""
    ended = exchange.last(ExchangeEnded)
    if ended is None:
        return "INTERRUPTED", "the exchange has no end", ""
    record = ended.record
    if record.problem or record.klass:
        return record.klass or "INFRA_NODE", record.problem or "no reason was given", record.node
    return None


def _red(judged: Judged) -> bool:
    return Outcome[judged.outcome] > Outcome.PASS


def _open(exchange: str, test: str, claim: str) -> Judged:
    where = f" of exchange {exchange}" if exchange else ""
    return replace(_nothing(f"the claim {claim!r}{where} has no verdict"), test=test, claim=claim)


def _nothing(fact: str) -> Judged:
    """An ERROR that no exchange stands behind."""
    return Judged(
        test="",
        claim="",
        outcome=Outcome.ERROR.name,
        checked=0,
        fact=fact,
        klass="UNSETTLED",
        next_step=next_step("UNSETTLED"),
    )
