"""Integrity: every damage is named with its place, and nothing compared is nothing proven."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.evidence import ChannelDone, Damage, Entry
from harness.verdict.exchange import Exchange
from harness.verdict.integrity import integrity
from harness.verdict.judge import DAMAGE
from suites.unit.verdict.clean import added, changed, clean


def damage(kind: str = "BITFLIP", channel: int = 2, chunk: int = 6) -> Damage:
    return Damage(
        node="alpha",
        channel=channel,
        iteration=0,
        chunk=chunk,
        kind=kind,
        words_wrong=3,
        first_word=11,
        last_word=13,
        source_iteration=0,
        source_channel=1,
        source_chunk=5,
        detail="xor 0x10",
    )


def judged(entries: list[Entry]):
    return integrity(Exchange(entries))


def test_all_words_right_passes_on_their_number() -> None:
    found = judged(clean())
    assert (found.outcome, found.checked) == ("PASS", 16 * 2**20 // 8)


@pytest.mark.parametrize("kind", sorted(DAMAGE))
def test_damage_is_named_with_node_nic_channel_and_chunk(kind: str) -> None:
    found = judged(added(clean(), damage(kind), 1.3))
    assert (found.outcome, found.klass) == ("FAIL", kind)
    assert (found.node, found.nic, found.channel, found.chunk) == ("alpha", "eth3", 2, 6)
    assert found.at_s == pytest.approx(1.3)
    assert "words, 11 to 13" in found.fact
    assert "channel 1 chunk 5" in found.fact


def test_the_first_damage_is_the_headline_and_the_rest_is_listed() -> None:
    entries = added(added(clean(), damage("SWAP", 3, 7), 1.4), damage("STALE", 1, 1), 1.2)
    found = judged(entries)
    assert (found.klass, found.channel) == ("STALE", 1)
    assert found.evidence[0] == "damaged chunks: 1 STALE, 1 SWAP"
    assert any(line.startswith("SWAP channel 3 chunk 7") for line in found.evidence)


def test_thousands_of_damaged_chunks_do_not_flood_the_report() -> None:
    entries = clean()
    for chunk in range(50):
        entries = added(entries, damage(chunk=chunk), 1.2)
    found = judged(entries)
    assert len(found.evidence) == 21
    assert found.evidence[-1] == "and 31 more in the journal"


def test_a_channel_whose_words_nobody_compared_is_open() -> None:
    where = {"role": "server", "channel": 1}
    found = judged(changed(clean(), ChannelDone, where=where, words_verified=0))
    assert (found.outcome, found.klass) == ("INCONCLUSIVE", "UNVERIFIED")
    assert (found.node, found.nic, found.channel) == ("alpha", "eth2", 1)


@pytest.mark.parametrize(("chunk", "told"), [(-1, False), (0, True)])
def test_a_source_is_told_where_it_is_known(chunk: int, told: bool) -> None:
    found = judged(added(clean(), replace(damage(), source_chunk=chunk), 1.0))
    assert ("from iteration" in found.fact) == told
