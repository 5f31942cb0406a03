"""What the receive daemon's stand-in was asked, against the sockets that there were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.evidence import ChannelSockets, Entry, FlowSteered, GpuPlace, IterationDone, Judged
from harness.verdict import judge
from harness.verdict.exchange import Exchange
from harness.verdict.steering import steering
from suites.unit.verdict.clean import NODES, added, changed, clean, without

GPU = "0000:04:00.0"
PLUGGED = {"transport": "nccl-net", "plugin": "/opt/net.so", "rxdm": "stand-in"}
INSTALL_S, REMOVE_S = 0.45, 1.55


def steered(**plan: Any) -> list[Entry]:
    """A clean exchange in which every data socket's flow was steered, and that undone."""
    entries = clean(**PLUGGED, **plan)
    for told in [e.record for e in entries if isinstance(e.record, ChannelSockets)]:
        for s in told.sockets if told.role == "server" else ():
            rule = FlowSteered(
                node=told.node,
                role="server",
                what="install",
                source_address=s.peer_address,
                source_port=s.peer_port,
                destination_address=s.local_address,
                destination_port=s.local_port,
                gpu=GPU,
            )
            entries = added(entries, rule, INSTALL_S)
            entries = added(entries, replace(rule, what="remove"), REMOVE_S)
    return entries


def judged(entries: list[Entry]) -> Judged:
    return steering(Exchange(entries))


def of(channel: int, **where: Any) -> dict[str, Any]:
    """The rule of a channel's only socket."""
    return {"destination_port": 21_000 + channel, "what": "install", **where}


def one_more(entries: list[Entry], **fields: Any) -> list[Entry]:
    first = next(e.record for e in entries if isinstance(e.record, FlowSteered))
    return added(entries, replace(first, **fields), INSTALL_S + 0.01)


def moved(entries: list[Entry], at_s: float, **where: Any) -> list[Entry]:
    """One channel's rule, heard at another time."""
    (rule,) = [
        e.record
        for e in entries
        if isinstance(e.record, FlowSteered)
        and all(getattr(e.record, name) == value for name, value in where.items())
    ]
    return added(without(entries, FlowSteered, **where), rule, at_s)


def test_a_rule_for_each_socket_undone_again_is_what_there_should_be() -> None:
    found = judged(steered())
    assert (found.outcome, found.checked) == ("PASS", 16)
    assert found.fact.startswith(f"4 flows of 4 channels steered to GPU {GPU}, ")
    (same,) = [one for one in judge(steered()) if one.claim == "steering"]
    assert same == found


@pytest.mark.parametrize(
    ("entries", "channel", "words"),
    [
        (
            without(steered(), FlowSteered, **of(2)),
            2,
            "no rule was asked for 198.18.3.2:50002 to 198.18.3.1:21002, of 3 rules",
        ),
        (
            changed(steered(), FlowSteered, where=of(1), source_port=9),
            1,
            "no rule was asked for 198.18.2.2:50001 to 198.18.2.1:21001",
        ),
        (
            one_more(steered(), destination_port=9),
            -1,
            "a rule was asked for 198.18.1.2:50000 to 198.18.1.1:9, which is no data socket's",
        ),
        (one_more(steered()), 0, "2 rules were asked for 198.18.1.2:50000"),
        (
            changed(steered(), FlowSteered, where=of(3), gpu="0000:05:00.0"),
            3,
            f"its flow goes to GPU 0000:05:00.0, the first one to {GPU}",
        ),
        (
            without(steered(), FlowSteered, **of(1, what="remove")),
            1,
            "the rule for 198.18.2.2:50001 to 198.18.2.1:21001 was never undone",
        ),
        (
            moved(steered(), 1.2, **of(2, what="remove")),
            2,
            "the rule for 198.18.3.2:50002 to 198.18.3.1:21002 was undone at 1.200 s, "
            "before all data was verified",
        ),
        (
            moved(steered(iterations=2), 1.2, **of(2)),
            2,
            "the rule for 198.18.3.2:50002 to 198.18.3.1:21002 was asked for at 1.200 s, "
            "when data had come already",
        ),
        (
            changed(steered(), FlowSteered, gpu=""),
            0,
            "its flow goes to no GPU that the rule names",
        ),
    ],
    ids=[
        "unsteered",
        "other-port",
        "astray",
        "twice",
        "other-gpu",
        "left",
        "too-early-undone",
        "too-late",
        "no-gpu",
    ],
)
def test_what_was_steered_wrongly_is_named_with_its_channel(
    entries: list[Entry], channel: int, words: str
) -> None:
    found = judged(entries)
    assert (found.outcome, found.klass) == ("FAIL", "STEERING")
    assert (found.node, found.channel) == (NODES["server"], channel)
    assert words in found.fact


def test_who_only_sends_has_nothing_to_steer() -> None:
    found = judged(one_more(steered(), role="client", node=NODES["client"]))
    assert (found.klass, found.node) == ("STEERING", NODES["client"])
    assert "the client had 198.18.1.2:50000 to 198.18.1.1:21000 steered" in found.fact


def test_nothing_that_was_told_is_no_evidence_and_nothing_asked_for_is_wrong() -> None:
    assert judged(without(steered(), FlowSteered)).klass == "STEERING"
    found = judged(without(steered(), ChannelSockets, role="server", channel=1))
    assert (found.outcome, found.klass, found.channel) == ("INCONCLUSIVE", "NO_EVIDENCE", 1)


def test_in_a_gpus_memory_the_rules_are_for_the_gpu_of_the_plan() -> None:
    entries = steered(memory="cuda")
    assert judged(entries).outcome == "PASS"
    found = judged(changed(entries, GpuPlace, bus_id="0000:05:00.0"))
    assert (found.outcome, found.klass, found.channel) == ("FAIL", "STEERING", 0)
    assert f"its flow goes to GPU {GPU}, the plan's is 0000:05:00.0" in found.fact
    assert judged(without(entries, GpuPlace, node=NODES["server"])).klass == "NO_EVIDENCE"


def test_rules_without_data_that_came_by_them_are_no_evidence() -> None:
    assert judged(without(steered(), IterationDone, role="server")).klass == "NO_EVIDENCE"
