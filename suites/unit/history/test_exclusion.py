"""What must not count is left out for the reason that its records give."""

from __future__ import annotations

from dataclasses import replace

from harness.evidence import Entry, ExchangeEnded, GpuHealth, GpuLoad, Judged, NodeBusy
from harness.history.exclusion import exclusion, not_meant
from harness.plan import Fault
from harness.verdict.exchange import Exchange
from suites.unit.history.nights import LONG, exchange, judged
from suites.unit.verdict.clean import bootstrapped, changed, clean, counted, edited, without


def why(entries: list[Entry]) -> str:
    told = [entry.record for entry in entries if isinstance(entry.record, Judged)]
    return exclusion(Exchange(entries), told)


def test_a_clean_exchange_counts() -> None:
    assert not_meant(Exchange(exchange())) == ""
    assert why(exchange()) == ""


def test_a_nic_that_others_used_keeps_it_out() -> None:
    assert (
        why(judged(counted(clean(**LONG), "alpha", "eth2", bytes_recv=9 << 20))) == "FOREIGN_LOAD"
    )


def test_a_claim_that_nobody_settled_keeps_it_out() -> None:
    assert why(without(exchange(), Judged, claim="quiet")) == "UNSETTLED"


def test_a_claim_of_somebody_else_is_not_the_one_that_is_missing() -> None:
    entries = edited(exchange(), Judged, lambda one: replace(one, claim="rate"), claim="quiet")
    assert why(entries) == "UNSETTLED"


def test_so_does_a_claim_without_a_class() -> None:
    entries = edited(exchange(), Judged, lambda one: replace(one, outcome="FAIL"), claim="mapping")
    assert why(entries) == "FAIL"


def test_a_throttled_gpu_keeps_it_out_although_every_claim_holds() -> None:
    held = {"power_cap": 6_000_000_000}
    slow = judged(
        changed(
            clean(**LONG, memory="cuda"), GpuHealth, where={"phase": "settled"}, throttled_ns=held
        )
    )
    assert {e.record.outcome for e in slow if isinstance(e.record, Judged)} == {"PASS"}
    assert why(slow) == "GPU_THROTTLED"


def test_a_gpu_that_nobody_could_read_keeps_it_out() -> None:
    assert why(judged(without(clean(**LONG, memory="cuda"), GpuLoad))) == "NO_EVIDENCE"


def test_what_was_never_meant_as_a_sample_says_so() -> None:
    flip = (Fault(kind="flip", chunk=5, value=9),)
    said = {
        "a planted fault": exchange(faults=flip),
        "no transfer": judged(bootstrapped()),
        "unfinished": without(exchange(), ExchangeEnded),
        "fits into the windows": judged(clean(size_bytes=32 << 20)),
    }
    assert {reason: not_meant(Exchange(entries)) for reason, entries in said.items()} == {
        reason: reason for reason in said
    }


def test_a_chunk_more_than_the_windows_hold_is_enough() -> None:
    assert not_meant(Exchange(clean(size_bytes=(32 << 20) + 1))) == ""


def test_a_machine_that_others_kept_busy_keeps_it_out_although_every_claim_holds() -> None:
    reasons = {0.54: "", 0.56: "CPU_FOREIGN"}  # of the eight seconds that its CPUs had
    for others_s, reason in reasons.items():
        spent = {"programs_s": 0.5 + others_s, "rest_s": 7.5 - others_s}
        busy = judged(changed(clean(**LONG), NodeBusy, **spent))
        assert {e.record.outcome for e in busy if isinstance(e.record, Judged)} == {"PASS"}
        assert why(busy) == reason
