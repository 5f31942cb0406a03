"""A run's cases in suites, one for each pair of nodes, as CI systems group them.

A run on two nodes is one suite. On more, a test belongs to the suite of the nodes that its
exchanges were between, whichever was the server; a test without exchanges to that of all nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.evidence import Entry, Judged, RunStarted
from harness.report.case import Case
from harness.report.ending import all_cases
from harness.report.exchanges import Told, exchanges
from harness.report.properties import run_properties
from harness.verdict import Outcome, worst

PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A case with all that is told of it. `notes` are lines, `attached` files, both of the case."""

    case: Case
    told: tuple[Told, ...] = ()
    judged: tuple[Judged, ...] = ()
    notes: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    name: str
    began_s: float
    properties: dict[str, str]
    members: tuple[Member, ...]


Attach = Callable[[Case, Sequence[Told]], Sequence[str]]


def no_files(case: Case, told: Sequence[Told]) -> Sequence[str]:
    """Nothing is attached."""
    return ()


def suites(entries: Sequence[Entry], attach: Attach = no_files) -> list[Suite]:
    """All cases of a run, each in one suite, in the order of the plan."""
    properties = run_properties(entries)
    told, judged = _told_of(entries), _judged_of(entries)
    nodes = list(filter(None, properties.get("nodes", "").split(", ")))
    members: dict[tuple[str, ...], list[Member]] = {}
    for case in all_cases(entries):
        ours = tuple(told.get(case.test, ()))
        member = Member(
            case=case,
            told=ours,
            judged=tuple(judged.get(case.test, ())),
            attached=tuple(attach(case, ours)) if case.red else (),
        )
        members.setdefault(_nodes(ours, nodes), []).append(member)
    began_s = next((e.wall_s for e in entries if isinstance(e.record, RunStarted)), 0.0)
    return [
        Suite(
            name=" ".join(filter(None, ["hil", properties.get("tier", ""), "+".join(between)])),
            began_s=began_s,
            properties=properties | ({"nodes": ", ".join(between)} if between else {}),
            members=tuple(found),
        )
        for between, found in (members or {(): []}).items()
    ]


def _told_of(entries: Sequence[Entry]) -> dict[str, list[Told]]:
    by_test: dict[str, list[Told]] = {}
    for one in exchanges(entries):
        by_test.setdefault(one.seen.planned.test, []).append(one)
    return by_test


def _judged_of(entries: Sequence[Entry]) -> dict[str, list[Judged]]:
    by_test: dict[str, list[Judged]] = {}
    for entry in entries:
        if isinstance(entry.record, Judged):
            by_test.setdefault(entry.record.test, []).append(entry.record)
    return by_test


def members_of(found: Sequence[Suite]) -> list[Member]:
    return [member for suite in found for member in suite.members]


def verdict(found: Sequence[Suite]) -> Outcome:
    """The worst of all cases; of none it is ERROR."""
    return worst(member.case.outcome for member in members_of(found))


def _nodes(told: Sequence[Told], nodes: Sequence[str]) -> tuple[str, ...]:
    """The nodes whose suite this is, in the order of the inventory."""
    used = {name for one in told for name in one.seen.nodes.values()}
    if len(nodes) <= PAIR or not used:
        return tuple(nodes)
    return (*(name for name in nodes if name in used), *sorted(used - set(nodes)))
