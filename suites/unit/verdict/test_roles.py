"""The roles' claim: identity, ends, words of failure, and which of two failures is the cause."""

from __future__ import annotations

from harness.evidence import ClockMeasured, Entry, RoleExited, RoleFailed, RoleReady, RoleStarted
from harness.verdict.exchange import Exchange
from harness.verdict.roles import roles
from suites.unit.verdict.clean import added, changed, clean, node_time, without


def judged(entries: list[Entry]):
    return roles(Exchange(entries))


def failed(entries: list[Entry], role: str, klass: str, at_s: float, channel: int = -1):
    node = {"server": "alpha", "client": "beta"}[role]
    words = RoleFailed(
        node=node,
        role=role,
        klass=klass,
        message="told so",
        channel=channel,
        at_s=node_time(node, at_s),
    )
    return added(entries, words, at_s + 0.02)


def ended(entries: list[Entry], role: str, code: int, reason: str = "exited", **fields: object):
    return changed(entries, RoleExited, where={"role": role}, code=code, reason=reason, **fields)


def test_two_roles_that_did_their_job_pass_on_four_comparisons() -> None:
    found = judged(clean())
    assert (found.outcome, found.checked) == ("PASS", 4)


def test_a_stranger_is_known_by_its_nonce() -> None:
    found = judged(changed(clean(), RoleReady, where={"role": "server"}, nonce="squatter"))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "READY_IDENTITY", "alpha")
    assert "squatter" in found.fact


def test_an_exit_code_outranks_success() -> None:
    found = judged(ended(clean(), "server", 1, stderr_tail="[PERF] completed successfully"))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "ROLE_EXIT", "alpha")
    assert "exited with 1, expected 0" in found.fact
    assert found.evidence == ("server stderr: [PERF] completed successfully",)


def test_words_of_failure_outrank_exit_code_0() -> None:
    found = judged(failed(clean(), "client", "TRANSPORT", 1.0))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "TRANSPORT", "beta")
    assert "then exited with 0" in found.fact


def test_a_killed_role_is_a_crash_with_its_signal() -> None:
    found = judged(ended(clean(), "client", -9, "killed"))
    assert (found.klass, found.node) == ("ROLE_CRASH", "beta")
    assert "SIGKILL" in found.fact


def test_a_silent_role_hangs() -> None:
    found = judged(ended(clean(), "server", -9, "silence"))
    assert (found.outcome, found.klass, found.node) == ("FAIL", "HANG", "alpha")


def test_of_two_that_hang_the_first_silent_is_to_blame() -> None:
    entries = ended(ended(clean(), "server", -9, "deadline"), "client", -9, "deadline")
    quiet = [
        e
        for e in entries
        if isinstance(e.record, RoleExited)
        or getattr(e.record, "role", "") != "client"
        or e.at_s < 1000.5
    ]
    found = judged(quiet)
    assert (found.klass, found.node) == ("HANG", "beta")
    assert "alpha" in found.evidence[-1]


def test_a_stalled_channel_is_named_with_its_nic() -> None:
    found = judged(ended(failed(clean(), "client", "STALL", 1.0, channel=2), "client", 1))
    assert (found.klass, found.node, found.nic, found.channel) == ("STALL", "beta", "eth3", 2)


def test_a_lost_peer_is_an_echo_of_the_peers_death_though_told_first() -> None:
    entries = failed(clean(), "client", "REMOTE_PROTOCOL", 1.0)
    entries = ended(ended(entries, "client", 1), "server", -11, "killed")
    found = judged(entries)
    assert (found.klass, found.node) == ("ROLE_CRASH", "alpha")
    assert any(line.startswith("echo") and "beta" in line for line in found.evidence)


def test_a_hang_explains_the_peers_stall() -> None:
    entries = ended(failed(clean(), "client", "STALL", 1.0, channel=0), "client", 1)
    found = judged(ended(entries, "server", -9, "silence"))
    assert (found.klass, found.node) == ("HANG", "alpha")


def test_a_role_that_was_stopped_is_an_echo_of_the_one_that_failed() -> None:
    entries = ended(failed(clean(), "server", "LOCAL_PROTOCOL", 1.0), "server", 1)
    found = judged(ended(entries, "client", -15, "stopped"))
    assert (found.klass, found.node) == ("LOCAL_PROTOCOL", "alpha")


def test_a_role_stopped_for_no_reason_is_the_benchs_error() -> None:
    found = judged(ended(clean(), "client", -15, "stopped"))
    assert (found.outcome, found.klass) == ("ERROR", "ROLE_STOPPED")


def test_the_earlier_of_two_failures_is_the_cause() -> None:
    entries = failed(clean(), "server", "LOCAL_PROTOCOL", 1.2)
    found = judged(failed(entries, "client", "TRANSPORT", 1.0))
    assert (found.klass, found.node, found.at_s) == ("TRANSPORT", "beta", 1.0)


def test_within_the_clocks_error_a_peers_own_words_explain_an_echo() -> None:
    entries = failed(clean(), "client", "REMOTE_PROTOCOL", 1.0)
    entries = failed(entries, "server", "TRANSPORT", 1.0005)
    found = judged(entries)
    assert (found.klass, found.node) == ("TRANSPORT", "alpha")
    assert "at the same time" in found.evidence[-1]


def test_clocks_days_apart_do_not_change_the_order() -> None:
    """Without a measured offset, the time of hearing stands in for the node's own."""
    entries = failed(clean(), "server", "LOCAL_PROTOCOL", 1.2)
    entries = without(failed(entries, "client", "TRANSPORT", 1.0), ClockMeasured)
    assert judged(entries).node == "beta"


def test_the_benchs_own_words_from_a_role_are_an_error() -> None:
    found = judged(failed(clean(), "client", "INVENTORY", 1.0))
    assert (found.outcome, found.klass, found.node) == ("ERROR", "INVENTORY", "beta")


def test_a_role_of_which_something_is_missing_is_open() -> None:
    for kind in (RoleStarted, RoleReady, RoleExited):
        found = judged(without(clean(), kind, role="client"))
        assert (found.outcome, found.klass, found.node) == ("INCONCLUSIVE", "NO_EVIDENCE", "beta")


def test_the_first_channel_has_a_nic_and_no_channel_has_none() -> None:
    assert judged(failed(clean(), "client", "STALL", 1.0, channel=0)).nic == "eth1"
    assert judged(failed(clean(), "client", "TRANSPORT", 1.0)).nic == ""
