"""Both roles started, were ready, and exited with 0; if not, whose fault it was.

Each role has at most one symptom: a wrong nonce, its own words of failure, or the way it ended (the
exit code outranks any text, and an end without words is told by its death note). Of two symptoms
the earlier is the cause, but a role that only saw its peer go away is an echo: its peer's death or,
within the clocks' error, its peer's own words explain it.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from harness.evidence import Judged, RoleExited, RoleFailed, RoleReady, RoleStarted
from harness.verdict.exchange import ROLES, Exchange, Seen
from harness.verdict.finding import breaks, holds

CLAIM = "roles"
ECHOES = frozenset({"REMOTE_PROTOCOL", "BOOTSTRAP", "STALL", "ROLE_STOPPED", "NO_EVIDENCE"})
DEATHS = frozenset({"ROLE_EXIT", "ROLE_CRASH", "PLUGIN_CRASH", "HANG"})
SILENT = ("silence", "deadline")
TAIL_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is wrong with one role."""

    role: str
    klass: str
    fact: str
    at_s: float
    channel: int = -1
    evidence: tuple[str, ...] = ()


def roles(exchange: Exchange) -> Judged:
    symptoms = [s for role in ROLES if (s := _symptom(exchange, role))]
    if not symptoms:
        fact = "server and client were ready with the exchange's nonce and exited with 0"
        return holds(exchange, CLAIM, checked=2 * len(ROLES), fact=fact)
    cause = _cause(symptoms, exchange.clock_bound_s())
    node = exchange.nodes[cause.role]
    return breaks(
        exchange,
        CLAIM,
        cause.klass,
        cause.fact,
        at_s=cause.at_s,
        node=node,
        nic=exchange.nic(cause.role, cause.channel) if cause.channel >= 0 else "",
        channel=cause.channel,
        evidence=[*cause.evidence, *_others(exchange, cause, symptoms)],
    )


def _symptom(exchange: Exchange, role: str) -> Symptom | None:
    ready = exchange.first(RoleReady, role=role)
    failed = exchange.first(RoleFailed, role=role)
    exited = exchange.last(RoleExited, role=role)
    if ready and ready.record.nonce != exchange.planned.nonce:
        return _stranger(exchange, role, ready)
    if failed:
        return _in_its_words(role, failed, exited)
    if exited and (exited.record.code != 0 or exited.record.reason != "exited"):
        return _death(exchange, role, exited)
    if missing := _missing(exchange, role):
        fact = f"the {role} {missing}"
        return Symptom(role=role, klass="NO_EVIDENCE", fact=fact, at_s=exchange.ended_s)
    return None


def _stranger(exchange: Exchange, role: str, ready: Seen[RoleReady]) -> Symptom:
    fact = (
        f"the {role} said it was ready with nonce {ready.record.nonce!r}, "
        f"expected {exchange.planned.nonce!r}: it is not the process that was started"
    )
    return Symptom(role=role, klass="READY_IDENTITY", fact=fact, at_s=ready.at_s)


def _in_its_words(role: str, failed: Seen[RoleFailed], exited: Seen[RoleExited] | None) -> Symptom:
    said = failed.record
    end = f"then {_end(exited.record)}" if exited else "and has no recorded end"
    return Symptom(
        role=role,
        klass=said.klass,
        fact=f"the {role} said: {said.message}; {end}",
        at_s=failed.at_s,
        channel=said.channel,
    )


def _death(exchange: Exchange, role: str, exited: Seen[RoleExited]) -> Symptom:
    note = exited.record
    tail = [f"{role} stderr: {line}" for line in note.stderr_tail.splitlines()[-TAIL_LINES:]]
    klass, at_s, fact = "ROLE_EXIT", exited.at_s, f"the {role} {_end(note)}, expected 0"
    if note.reason in SILENT:
        klass, at_s = "HANG", _last_sign_s(exchange, role, exited)
        fact = f"the {role} {_end(note)}; its last record came {at_s:.3f} s into the exchange"
    elif note.reason == "stopped":
        klass, fact = "ROLE_STOPPED", f"the {role} {_end(note)}"
    elif note.code < 0:
        klass, fact = "ROLE_CRASH", f"the {role} {_end(note)}"
    return Symptom(role=role, klass=klass, fact=fact, at_s=at_s, evidence=tuple(tail))


def _last_sign_s(exchange: Exchange, role: str, exited: Seen[RoleExited]) -> float:
    """When a role that hangs was last heard: of two, the one silent first is to blame."""
    return max(exchange.signs_of_life(role), default=exited.at_s)


def _missing(exchange: Exchange, role: str) -> str:
    """What a role without a failure still owes; '' for nothing."""
    if not exchange.planned.nonce:
        return "has no nonce in the plan to be known by"
    owed = {RoleStarted: "was never started", RoleReady: "never said that it was ready"}
    for kind, words in owed.items():
        if not exchange.seen(kind, role=role):
            return words
    return "" if exchange.seen(RoleExited, role=role) else "has no recorded end"


def _cause(symptoms: list[Symptom], bound_s: float) -> Symptom:
    first, *others = sorted(symptoms, key=lambda s: s.at_s)
    if first.klass in ECHOES:
        for other in others:
            together = other.at_s - first.at_s <= bound_s and other.klass not in ECHOES
            if other.klass in DEATHS or together:
                return other
    return first


def _others(exchange: Exchange, cause: Symptom, symptoms: list[Symptom]) -> list[str]:
    bound_s = exchange.clock_bound_s()
    lines = []
    for other in symptoms:
        if other is cause:
            continue
        apart_s = other.at_s - cause.at_s
        order = "at the same time" if abs(apart_s) <= bound_s else f"{apart_s:+.3f} s"
        node = exchange.nodes[other.role]
        lines.append(f"echo ({order}, clocks agree to {bound_s:.6f} s): {node}: {other.fact}")
    return lines


def _end(note: RoleExited) -> str:
    """How a role ended, in words."""
    how = f"exited with {note.code}" if note.code >= 0 else f"was ended by {_signal(-note.code)}"
    why = {
        "deadline": "passed its deadline and ",
        "silence": "fell silent and ",
        "stopped": "was stopped by the controller and ",
    }
    return f"{why.get(note.reason, '')}{how}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
