"""What JUnit's properties say: of the run, and of each test by its exchanges and claims.

A test with several exchanges gets one property a name, its values joined in the order in which the
exchanges were planned.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.evidence import Entry, Judged, RunStarted
from harness.report.exchanges import ChannelFigures, Told
from harness.verdict.exchange import ROLES


def run_properties(entries: Sequence[Entry]) -> dict[str, str]:
    """Run, tier, inventory, nodes and versions; empty when the run never began."""
    for entry in entries:
        if isinstance(entry.record, RunStarted):
            record = entry.record
            nodes = [str(node.get("name", "?")) for node in record.inventory.get("nodes", [])]
            return {
                "run": entry.run,
                "tier": record.tier,
                "inventory": str(record.inventory.get("source", "")),
                "nodes": ", ".join(nodes),
                **{f"version.{name}": v for name, v in sorted(record.versions.items())},
            }
    return {}


def case_properties(told: Sequence[Told], judged: Sequence[Judged]) -> dict[str, str]:
    """Of the exchanges and of all claims of one test."""
    each = [_of_exchange(one) for one in told]
    names = dict.fromkeys(name for properties in each for name in properties)
    joined = {name: "; ".join(properties.get(name, "") for properties in each) for name in names}
    claims = "; ".join(f"{j.claim}={j.outcome}({j.checked})" for j in judged)
    return joined | ({"claims": claims} if claims else {})


def _of_exchange(told: Told) -> dict[str, str]:
    planned, plan = told.seen.planned, told.seen.plan
    nics = {role: ",".join(told.seen.nics(role)) for role in ROLES}
    return {
        "exchange": told.seen.name,
        "tier": planned.tier,
        "memory": plan.memory,
        **({"gpus": _gpus(told)} if plan.is_on_gpus else {}),
        "transport": plan.transport,
        "server": f"{planned.server}[{nics['server']}]",
        "client": f"{planned.client}[{nics['client']}]",
        "channels": str(plan.channels),
        "seed": str(plan.seed),
        "bytes": str(told.bytes),
        "gb_s": f"{told.seen.gb_s:.3f}",
        "words_verified": str(told.words_verified),
        **{name: value for one in told.channels for name, value in _of_channel(one).items()},
    }


def _of_channel(figures: ChannelFigures) -> dict[str, str]:
    """The NICs that its sockets were on, its speed and what was verified of it."""
    return {
        f"channel.{figures.channel}.nics": f"{figures.nics['client']} to {figures.nics['server']}",
        f"channel.{figures.channel}.gb_s": f"{figures.gb_s:.3f}",
        f"channel.{figures.channel}.words_verified": str(figures.words_verified),
    }


def _gpus(told: Told) -> str:
    """Each role's GPU, or that they share one."""
    if told.one_gpu:
        return f"one for both roles: {told.one_gpu}"
    return ", ".join(f"{role} {uuid or 'unread'}" for role, uuid in told.gpus.items())
