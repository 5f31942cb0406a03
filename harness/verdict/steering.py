"""The flow of every data socket was steered to the exchange's one GPU, and nothing else was.

A plugin has each flow that it receives steered by the node's receive daemon; the daemon's stand-in
tells what it was asked. Those are the plugin's own words to a third party, which it cannot do
without: they are held against the sockets that the kernel has on the channels' listeners. A rule
steers only from when it is asked for until it is undone, so all data must come in between; one that
nobody undoes stays on a real NIC after the run. Which GPU is meant is known in a GPU's memory only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.evidence import FlowSteered, GpuPlace, IterationDone, Judged, SocketSeen
from harness.verdict.exchange import Exchange, Seen
from harness.verdict.finding import breaks, counted, holds
from harness.verdict.gpus import used

CLAIM = "steering"
RECEIVER, SENDER = "server", "client"
INSTALL, REMOVE = "install", "remove"
Flow = tuple[str, int, str, int]  # source, destination
Rules = Sequence[Seen[FlowSteered]]


def steering(exchange: Exchange) -> Judged:
    rules = exchange.seen(FlowSteered, role=RECEIVER, what=INSTALL)
    return (
        _unsteered(exchange, rules)
        or _astray(exchange, rules)
        or _sent(exchange)
        or _several_gpus(exchange, rules)
        or _not_the_plans(exchange, rules)
        or _left(exchange, rules)
        or _untimely(exchange, rules)
        or _steered(exchange, rules)
    )


def _flow(rule: FlowSteered) -> Flow:
    source = (rule.source_address, rule.source_port)
    return (*source, rule.destination_address, rule.destination_port)


def _of(socket: SocketSeen) -> Flow:
    """What a socket receives."""
    source = (socket.peer_address, socket.peer_port)
    return (*source, socket.local_address, socket.local_port)


def _flows(exchange: Exchange) -> dict[Flow, int]:
    """Every flow that the server's sockets receive, with its channel."""
    channels = range(exchange.plan.channels)
    return {_of(s): c for c in channels for s in exchange.sockets(RECEIVER, c)}


def _unsteered(exchange: Exchange, rules: Rules) -> Judged | None:
    """A channel without sockets, or with one whose flow nobody asked for."""
    asked = {_flow(rule.record) for rule in rules}
    flows = _flows(exchange)
    silent = sorted(set(range(exchange.plan.channels)) - set(flows.values()))
    if silent:
        fact = f"the {RECEIVER} told no sockets to hold flow rules against"
        return _red(exchange, "NO_EVIDENCE", fact, exchange.ended_s, channel=silent[0])
    for flow, channel in flows.items():
        if flow not in asked:
            fact = f"no rule was asked for {_words(flow)}, of {counted(len(rules), 'rule')}"
            return _red(exchange, "STEERING", fact, exchange.ended_s, channel=channel)
    return None


def _astray(exchange: Exchange, rules: Rules) -> Judged | None:
    """A rule for a flow that no data socket has, or a second one for the same."""
    flows = _flows(exchange)
    times = Counter(_flow(rule.record) for rule in rules)
    for rule in rules:
        flow = _flow(rule.record)
        if flow not in flows:
            fact = f"a rule was asked for {_words(flow)}, which is no data socket's"
            return _red(exchange, "STEERING", fact, rule.at_s)
        if times[flow] > 1:
            fact = f"{times[flow]} rules were asked for {_words(flow)}"
            return _red(exchange, "STEERING", fact, rule.at_s, channel=flows[flow])
    return None


def _sent(exchange: Exchange) -> Judged | None:
    """Who only sends has nothing to steer."""
    if rule := exchange.first(FlowSteered, role=SENDER):
        fact = f"the {SENDER} had {_words(_flow(rule.record))} steered, and receives nothing"
        return _red(exchange, "STEERING", fact, rule.at_s, role=SENDER)
    return None


def _several_gpus(exchange: Exchange, rules: Rules) -> Judged | None:
    flows, first = _flows(exchange), rules[0].record.gpu
    for rule in rules:
        gpu, channel = rule.record.gpu, flows[_flow(rule.record)]
        if not gpu:
            fact = "its flow goes to no GPU that the rule names"
            return _red(exchange, "STEERING", fact, rule.at_s, channel=channel)
        if gpu != first:
            fact = f"its flow goes to GPU {gpu}, the first one to {first}"
            return _red(exchange, "STEERING", fact, rule.at_s, channel=channel)
    return None


def _not_the_plans(exchange: Exchange, rules: Rules) -> Judged | None:
    """All rules are for one GPU; where the payload lands in a GPU's memory it must be that one."""
    for one in used(exchange):
        if one.role != RECEIVER:
            continue
        place = exchange.last(GpuPlace, node=one.node, gpu=one.gpu)
        if place is None:
            fact = "nobody told the PCI address of the plan's GPU"
            return _red(exchange, "NO_EVIDENCE", fact, exchange.ended_s)
        rule, planned = rules[0], place.record.bus_id
        if rule.record.gpu.lower() != planned:
            fact = f"its flow goes to GPU {rule.record.gpu}, the plan's is {planned}"
            channel = _flows(exchange)[_flow(rule.record)]
            return _red(exchange, "STEERING", fact, rule.at_s, channel=channel)
    return None


def _left(exchange: Exchange, rules: Rules) -> Judged | None:
    flows = _flows(exchange)
    undone = exchange.seen(FlowSteered, role=RECEIVER, what=REMOVE)
    left = {_flow(r.record) for r in rules} - {_flow(r.record) for r in undone}
    for flow in sorted(left):
        fact = f"the rule for {_words(flow)} was never undone"
        return _red(exchange, "STEERING", fact, exchange.ended_s, channel=flows[flow])
    return None


def _untimely(exchange: Exchange, rules: Rules) -> Judged | None:
    """Rules that were not there yet, or not any more, when data came."""
    flows = _flows(exchange)
    verified = [done.at_s for done in exchange.seen(IterationDone, role=RECEIVER)]
    if not verified:
        fact = f"the {RECEIVER} never told when data had come"
        return _red(exchange, "NO_EVIDENCE", fact, exchange.ended_s)
    undone = exchange.seen(FlowSteered, role=RECEIVER, what=REMOVE)
    late = [(r, "asked for", "when data had come already") for r in rules if r.at_s > verified[0]]
    early = [(r, "undone", "before all data was verified") for r in undone if r.at_s < verified[-1]]
    for rule, what, why in (*late, *early):
        flow = _flow(rule.record)
        fact = f"the rule for {_words(flow)} was {what} at {rule.at_s:.3f} s, {why}"
        return _red(exchange, "STEERING", fact, rule.at_s, channel=flows.get(flow, -1))
    return None


def _steered(exchange: Exchange, rules: Rules) -> Judged:
    fact = (
        f"{counted(len(rules), 'flow')} of {counted(exchange.plan.channels, 'channel')} steered "
        f"to GPU {rules[0].record.gpu}, one a data socket, while data came, and undone"
    )
    return holds(exchange, CLAIM, checked=4 * len(rules), fact=fact)


def _red(
    exchange: Exchange,
    klass: str,
    fact: str,
    at_s: float,
    *,
    role: str = RECEIVER,
    channel: int = -1,
) -> Judged:
    return breaks(
        exchange,
        CLAIM,
        klass,
        fact,
        at_s=at_s,
        node=exchange.nodes[role],
        nic=exchange.nic(role, channel) if channel >= 0 else "",
        channel=channel,
    )


def _words(flow: Flow) -> str:
    return f"{flow[0]}:{flow[1]} to {flow[2]}:{flow[3]}"
