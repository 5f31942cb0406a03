"""What flowed where, and what is said of it."""

from __future__ import annotations

import pytest

from harness.evidence import ChannelDone, Damage
from harness.report.exchanges import exchanges
from harness.report.page.flows import Flow, flows, node_pairs, spans, together
from harness.verdict import Outcome
from suites.unit.report.page.test_events import told
from suites.unit.verdict.clean import added, changed, clean, sockets_changed, without
from suites.unit.verdict.test_integrity import damage

MIB = 1 << 20


def by_channel(entries: list) -> dict[int, Flow]:
    return {min(flow.channels): flow for flow in flows(told(entries))}


@pytest.mark.parametrize(
    ("numbers", "said"), [([], ""), ([3], "3"), ([2, 0, 1, 5], "0-2, 5"), ([0, 4, 8], "0, 4, 8")]
)
def test_spans(numbers: list[int], said: str) -> None:
    assert spans(numbers) == said


def test_every_channel_flows_from_the_client_to_the_server() -> None:
    found = by_channel(clean())
    assert sorted(found) == [0, 1, 2, 3]
    assert found[2].source == ("beta", "eth3")
    assert found[2].target == ("alpha", "eth3")
    assert found[2].bytes == 4 * MIB
    assert {flow.outcome for flow in found.values()} == {Outcome.PASS}
    assert not any(flow.planned for flow in found.values())


def test_a_channel_that_went_elsewhere_is_drawn_there_and_blamed_with_its_plan() -> None:
    entries = sockets_changed(clean(), "client", 2, nic="eth1", bound_device="eth1")
    found = by_channel(entries)
    assert found[2].source == ("beta", "eth1")
    assert found[2].planned == (("beta", "eth3"), ("alpha", "eth3"))
    assert found[2].outcome is Outcome.FAIL
    assert found[0].outcome is Outcome.FAIL  # it shares the NIC that carried too much
    assert found[1].outcome is Outcome.PASS


def test_every_damaged_channel_is_red_not_only_the_headlines() -> None:
    first = damage()
    other = Damage(**{n: getattr(first, n) for n in first.__dataclass_fields__} | {"channel": 3})
    found = by_channel(added(added(clean(), first, 1.2), other, 1.3))
    assert {n for n, f in found.items() if f.outcome is Outcome.FAIL} == {first.channel, 3}


def test_a_channel_of_which_nothing_was_told_stands_where_it_was_planned_and_is_not_green() -> None:
    entries = without(clean(), ChannelDone, channel=1)
    missing = by_channel(entries)[1]
    assert (missing.source, missing.bytes) == (("beta", "eth2"), 0)
    assert missing.outcome > Outcome.PASS


def test_a_channel_that_came_up_short_is_not_green() -> None:
    entries = changed(clean(), ChannelDone, where={"channel": 1}, bytes=5)
    assert by_channel(entries)[1].outcome > Outcome.PASS


def test_flows_of_several_exchanges_are_added_and_the_worst_counts() -> None:
    spoilt = added(clean("main-2"), damage(), 1.2)
    found = together(exchanges([*clean("main-1"), *spoilt]))
    assert len(found) == 4
    assert {flow.exchanges for flow in found} == {2}
    assert {flow.bytes for flow in found} == {8 * MIB}
    assert [f.outcome for f in found if damage().channel in f.channels] == [Outcome.FAIL]


def test_pairs_of_nodes_are_told_apart_whichever_way_it_flowed() -> None:
    there = by_channel(clean())[0]
    back = Flow(
        source=there.target, target=there.source, channels=frozenset({9}), bytes=1, exchanges=1,
        outcome=Outcome.PASS,
    )  # fmt: skip
    other = Flow(
        source=("c", "eth1"), target=("d", "eth1"), channels=frozenset({0}), bytes=2, exchanges=1,
        outcome=Outcome.PASS,
    )  # fmt: skip
    assert [len(pair) for pair in node_pairs([there, back, other])] == [2, 1]
