"""From entries to verdicts to one cause: nothing passes by default, and the earliest explains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence import (
    ChannelMapped,
    ClaimMade,
    ClockMeasured,
    Damage,
    Entry,
    ExchangeEnded,
    ExchangePlanned,
    Judged,
    NodeBusy,
    RoleExited,
    RoleFailed,
    SocketsSeen,
)
from harness.plan import AGENT_EXERCISES, CLAIMS, PROGRAM_CLAIMS, TRANSFER_CLAIMS
from harness.plan.plan import EXERCISES
from harness.verdict import cause, headline, judge, unsettled
from harness.verdict.exchange import Exchange
from harness.verdict.judge import CHECKS
from suites.unit.verdict.agented import agented
from suites.unit.verdict.clean import (
    TEST,
    added,
    bootstrapped,
    changed,
    clean,
    counted,
    node_time,
    sockets_changed,
    windowed,
    without,
)
from suites.unit.verdict.program.ran import also, carried, ran, say

ALL = (*TRANSFER_CLAIMS, "fairness")
CLEAN = clean(claims=ALL)
# Clocks only sharpen the order of events, and what others did to a node's CPUs only keeps a sample
# out of the history: their absence takes nothing from a verdict.
SPARE = {ClockMeasured, NodeBusy}
REQUIRED = sorted({type(e.record) for e in CLEAN} - SPARE, key=lambda kind: kind.__name__)
DAMAGED = Damage(
    node="alpha",
    channel=1,
    iteration=0,
    chunk=5,
    kind="BITFLIP",
    words_wrong=1,
    first_word=0,
    last_word=0,
)


def outcomes(entries: list[Entry]) -> dict[str, str]:
    return {one.claim: one.outcome for one in judge(entries)}


def test_every_claim_has_a_check_and_every_check_a_claim() -> None:
    assert set(CHECKS) == set(CLAIMS)


@pytest.mark.parametrize("entries", [CLEAN, bootstrapped(), windowed()])
def test_a_clean_exchange_passes_every_claim_once_with_something_checked(
    entries: list[Entry],
) -> None:
    judged = judge(entries)
    planned = entries[0].record
    assert isinstance(planned, ExchangePlanned)
    assert [one.claim for one in judged] == list(planned.plan["claims"])
    assert {one.outcome for one in judged} == {"PASS"}
    assert all(one.checked > 0 for one in judged)
    assert cause(judged).outcome == "PASS"


def test_a_claim_listed_twice_is_judged_once() -> None:
    assert len(judge(clean(claims=("roles", "roles")))) == 1


def test_no_entries_are_an_error() -> None:
    (judged,) = judge([])
    assert (judged.outcome, judged.klass) == ("ERROR", "UNSETTLED")
    assert cause([]).outcome == "ERROR"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_plan_of_which_nothing_was_seen_passes_nothing(exercise: str) -> None:
    others = {"transfer": clean, "bootstrap": bootstrapped, "window": windowed}
    whole = agented(exercise) if exercise in AGENT_EXERCISES else others[exercise]()
    for entries in (whole[:1], [whole[0], whole[-1]]):
        assert "PASS" not in outcomes(entries).values()


@pytest.mark.parametrize("kind", REQUIRED, ids=lambda kind: kind.__name__)
def test_without_any_one_kind_of_record_not_all_passes(kind: type) -> None:
    assert set(outcomes(without(CLEAN, kind)).values()) != {"PASS"}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_missing_nothing_passes_unseen(data: st.DataObject) -> None:
    """Any subset of the records: one verdict a claim, and a PASS always rests on something."""
    keep = data.draw(st.lists(st.booleans(), min_size=len(CLEAN) - 1, max_size=len(CLEAN) - 1))
    entries = [CLEAN[0], *(e for e, kept in zip(CLEAN[1:], keep, strict=True) if kept)]
    judged = judge(entries)
    assert [one.claim for one in judged] == list(ALL)
    assert all(one.checked > 0 for one in judged if one.outcome == "PASS")
    assert all(one.klass and one.fact and headline(one) for one in judged if one.outcome != "PASS")
    lost = {type(e.record) for e in CLEAN} - {type(e.record) for e in entries}
    if lost - SPARE:
        assert {one.outcome for one in judged} != {"PASS"}


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_same_entries_give_the_same_verdicts(random) -> None:
    entries = added(counted(CLEAN, "beta", "eth2", bytes_sent=10_000_000), DAMAGED, 1.3)
    assert judge(entries) == judge(list(entries))
    shuffled = [entries[0], *random.sample(entries[1:], len(entries) - 1)]
    same = {one.claim: (one.outcome, one.klass, one.node, one.nic) for one in judge(shuffled)}
    assert same == {
        one.claim: (one.outcome, one.klass, one.node, one.nic) for one in judge(entries)
    }


# -- the bench's trouble -----------------------------------------------------------------------


@pytest.mark.parametrize("klass", ["INFRA_SSH", "INFRA_HOSTKEY", "INVENTORY", "LEASE"])
def test_the_benchs_trouble_is_an_error_of_every_claim_with_its_node(klass: str) -> None:
    entries = changed(CLEAN, ExchangeEnded, klass=klass, problem="it is gone", node="beta")
    judged = judge(entries)
    assert {(one.outcome, one.klass, one.node) for one in judged} == {("ERROR", klass, "beta")}
    assert cause(judged).fact == "it is gone"


def test_a_lost_peer_is_the_benchs_trouble_when_the_bench_lost_it() -> None:
    entries = changed(CLEAN, ExchangeEnded, klass="INFRA_SSH", problem="gone", node="alpha")
    words = RoleFailed(node="beta", role="client", klass="REMOTE_PROTOCOL", message="reset")
    judged = judge(added(without(entries, RoleExited), words, 1.0))
    assert (judged[0].outcome, judged[0].klass, judged[0].node) == ("ERROR", "INFRA_SSH", "alpha")
    assert "REMOTE_PROTOCOL" in judged[0].evidence[0]


@pytest.mark.parametrize(
    ("spoil", "claim", "klass"),
    [
        (lambda e: added(e, DAMAGED, 1.0), "integrity", "BITFLIP"),
        (lambda e: sockets_changed(e, "client", 1, bound_device="eth1"), "mapping", "MAPPING"),
        (
            lambda e: changed(
                e,
                RoleExited,
                where={"role": "client"},
                code=-11,
                reason="killed",
                at_s=node_time("beta", 1.0),
            ),
            "roles",
            "ROLE_CRASH",
        ),
    ],
    ids=["damage", "mapping", "crash"],
)
def test_what_a_lost_connection_cannot_fake_stands_and_comes_first(spoil, claim, klass) -> None:
    entries = changed(CLEAN, ExchangeEnded, klass="INFRA_SSH", problem="gone", node="alpha")
    judged = {one.claim: one for one in judge(spoil(entries))}
    assert (judged[claim].outcome, judged[claim].klass) == ("FAIL", klass)
    assert {one.klass for name, one in judged.items() if name != claim} == {"INFRA_SSH"}
    assert cause(list(judged.values())).klass == klass


def test_an_exchange_without_an_end_was_interrupted() -> None:
    judged = judge(without(CLEAN, ExchangeEnded))
    assert {(one.outcome, one.klass) for one in judged} == {("ERROR", "INTERRUPTED")}


# -- the cause ---------------------------------------------------------------------------------


def finding(claim: str, outcome: str, at_s: float, klass: str = "LEDGER") -> Judged:
    return Judged(
        test=TEST, claim=claim, outcome=outcome, checked=1, fact=claim, klass=klass, at_s=at_s
    )


def test_the_earliest_is_the_cause_and_the_rest_are_listed() -> None:
    late, early = finding("delivery", "ERROR", 2.0), finding("mapping", "FAIL", 1.0, "MAPPING")
    passed = finding("roles", "PASS", 0.0, "")
    found = cause([passed, late, early])
    assert (found.claim, found.evidence) == ("mapping", ("also: LEDGER: delivery",))


def test_at_the_same_instant_the_graver_and_then_the_first_planned_goes_first() -> None:
    same = [finding(c, o, 1.0) for c, o in (("a", "FAIL"), ("b", "ERROR"), ("c", "ERROR"))]
    assert cause(same).claim == "b"


def test_damage_explains_the_bytes_that_were_not_verified() -> None:
    where = {"role": "server", "channel": 1}
    entries = changed(CLEAN, _channel_done(), where=where, bytes_verified=1)
    found = cause(judge(added(entries, DAMAGED, 1.4)))
    assert (found.klass, found.node, found.nic, found.channel) == ("BITFLIP", "alpha", "eth2", 1)
    assert any(line.startswith("also: LEDGER") for line in found.evidence)


def test_a_server_that_stopped_short_explains_the_clients_reset() -> None:
    where = {"role": "server", "channel": 0}
    entries = changed(CLEAN, _channel_done(), where=where, chunks=5)
    words = RoleFailed(
        node="beta",
        role="client",
        klass="REMOTE_PROTOCOL",
        message="reset",
        at_s=node_time("beta", 1.52),
    )
    found = cause(judge(added(entries, words, 1.53)))
    assert (found.klass, found.node, found.channel) == ("LEDGER", "alpha", 0)


def _channel_done() -> type:
    return next(type(e.record) for e in CLEAN if type(e.record).__name__ == "ChannelDone")


# -- claims without a verdict ------------------------------------------------------------------


def with_verdicts(entries: list[Entry]) -> list[Entry]:
    more = [replace(entries[-1], record=one) for one in judge(entries)]
    return [*entries, *more]


def test_a_judged_exchange_leaves_nothing_open() -> None:
    assert unsettled(with_verdicts(CLEAN)) == ()


def test_every_claim_of_an_exchange_without_a_verdict_is_an_error() -> None:
    entries = [
        e
        for e in with_verdicts(CLEAN)
        if not isinstance(e.record, Judged) or e.record.claim != "quiet"
    ]
    (found,) = unsettled(entries)
    assert (found.outcome, found.klass, found.test, found.claim) == (
        "ERROR",
        "UNSETTLED",
        TEST,
        "quiet",
    )


def test_a_verdict_of_one_exchange_settles_no_other() -> None:
    other = clean("main-2", claims=("roles",))
    (found,) = unsettled([*with_verdicts(CLEAN), *other])
    assert (found.claim, "main-2" in found.fact) == ("roles", True)


def test_a_tests_own_claim_must_be_settled_too() -> None:
    made = replace(CLEAN[0], exchange="", record=ClaimMade(test=TEST, claim="scaling"))
    (found,) = unsettled([made])
    assert (found.klass, found.claim) == ("UNSETTLED", "scaling")
    settled = replace(made, record=finding("scaling", "PASS", 0.0, ""))
    assert unsettled([made, settled]) == ()


@pytest.mark.parametrize("made", [clean, ran], ids=["ours", "a program"])
def test_judging_looks_as_often_at_many_iterations_as_at_few(
    monkeypatch: pytest.MonkeyPatch, made: Callable[..., list[Entry]]
) -> None:
    """Every look goes through all records of a kind: one an iteration would be quadratic."""
    looks: list[object] = []
    seen = Exchange.seen

    def count(self: Exchange, *what: Any, **where: Any) -> Any:
        looks.append(what)
        return seen(self, *what, **where)

    monkeypatch.setattr(Exchange, "seen", count)
    counts = []
    for iterations in (2, 50):
        looks.clear()
        assert outcomes(made(iterations=iterations))["delivery"] == "PASS"
        counts.append(len(looks))
    assert counts[0] == counts[1]


def test_a_program_passes_what_its_evidence_can_settle() -> None:
    judged = judge(ran())
    assert [one.claim for one in judged] == list(PROGRAM_CLAIMS)
    assert {(one.outcome, one.checked > 0) for one in judged} == {("PASS", True)}


@pytest.mark.parametrize("kind", sorted({type(e.record) for e in ran()}, key=lambda k: k.__name__))
def test_without_any_one_kind_of_record_no_program_passes_all(kind: type) -> None:
    left = [e for e in ran() if not isinstance(e.record, kind)]
    outcomes = {one.outcome for one in judge(left)}
    assert outcomes != {"PASS"} or kind in (ChannelMapped, SocketsSeen, ClockMeasured)


@pytest.mark.parametrize("claim", ["integrity", "sockets", "window", "bootstrap"])
def test_what_a_program_cannot_prove_is_open_by_name(claim: str) -> None:
    (judged,) = judge(ran(claims=(claim,)))
    assert (judged.claim, judged.outcome) == (claim, "INCONCLUSIVE")
    assert judged.klass in ("UNVERIFIED", "NO_EVIDENCE")


def test_a_lie_about_speed_and_one_about_bytes_have_one_cause() -> None:
    """Too fast because too little came: the ledger is seen first."""
    entries = carried(ran(iterations=1), 17 / 128)
    for role in ("server", "client"):
        for what, value in {"rate_gb_s": 20.5, "average_s": 64 * 2**20 / 20.5e9}.items():
            entries = also(entries, say(role, what, value))
    worst = cause(judge(entries))
    assert (worst.klass, worst.node) == ("LEDGER", "alpha")
    assert any(line.startswith("also: TOO_FAST") for line in worst.evidence)
