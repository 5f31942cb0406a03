"""The bootstrap as client and server live it: handles in one go, or refused by name."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from harness.errors import BootstrapError, LinkError, RemoteProtocolError, StallError
from harness.evidence import Observed, RoleReady
from harness.plan import Fault
from harness.roles import client, server
from suites.unit.roles.ends import PLAN, Heard, assignment, clean, exchange, free_port

BOOTSTRAP = replace(PLAN, exercise="bootstrap", claims=())


def observed(voice: Heard) -> list[tuple[str, int]]:
    return [(each.subject, each.value) for each in voice.all(Observed)]


@pytest.mark.parametrize("channels", [1, 4, 64])
def test_as_many_handles_arrive_as_were_sent(channels: int) -> None:
    sender, receiver = clean(replace(BOOTSTRAP, channels=channels))
    assert observed(sender) == [("handles_sent", channels)]
    assert observed(receiver) == [("handles_received", channels)]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(kind="bootstrap_count", value=0), "Invalid channel count: 0"),
        (Fault(kind="bootstrap_count", value=65), "Invalid channel count: 65"),
        (Fault(kind="bootstrap_cut", value=0), "closed after 0 of 384 bytes"),
        (Fault(kind="bootstrap_cut", value=200), "closed after 200 of 384 bytes"),
        (Fault(kind="bootstrap_garbage"), "Is another program on this port?"),
    ],
)
def test_a_wrong_answer_is_refused_and_told(fault: Fault, said: str) -> None:
    """Both roles have done their job, so both end with 0: the refusal is what was to be seen."""
    sender, receiver = clean(replace(BOOTSTRAP, faults=(fault,)))
    assert observed(sender) == []
    (refused,) = receiver.all(Observed)
    assert (refused.subject, refused.value) == ("handles_refused", 1)
    assert refused.detail.startswith("BOOTSTRAP: ")
    assert said in refused.detail


def test_in_a_transfer_a_wrong_answer_ends_the_client() -> None:
    fault = Fault(kind="bootstrap_count", value=65)
    sender, receiver = exchange(replace(PLAN, faults=(fault,)))
    assert sender.status == 0
    assert isinstance(receiver.error, BootstrapError)


def test_a_client_without_a_server_tells_where_it_looked() -> None:
    plan = replace(PLAN, deadline_s=0.2, port_base=free_port())
    with pytest.raises(BootstrapError, match=f"127.0.0.1:{plan.port}: connect\\(\\) failed"):
        client.run(assignment(plan, "client"), Heard("client"))


def test_a_server_without_a_client_gives_up_in_time() -> None:
    plan = replace(PLAN, deadline_s=0.2, port_base=free_port())
    voice = Heard("server")
    with pytest.raises(BootstrapError, match=r"no client came in 0\.\d+ s"):
        server.run(assignment(plan, "server"), voice)
    (ready,) = voice.all(RoleReady)
    assert (ready.address, ready.port) == ("127.0.0.1", plan.port)


def test_a_server_whose_port_is_taken_is_never_ready() -> None:
    voice = Heard("server")
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        plan = replace(PLAN, port_base=squatter.getsockname()[1])
        with pytest.raises(BootstrapError, match=f"bind\\(\\) failed on port {plan.port}"):
            server.run(assignment(plan, "server"), voice)
    assert voice.all(RoleReady) == []


def test_other_numbers_of_channels_are_named() -> None:
    sender, receiver = exchange(replace(PLAN, deadline_s=1.0), channels=4)
    assert isinstance(receiver.error, RemoteProtocolError)
    assert "Handle count mismatch: expected 4, got 3" in str(receiver.error)
    assert isinstance(sender.error, StallError)
    assert "channels 0 (lo), 1 (lo), 2 (lo) were not accepted" in str(sender.error)


def test_a_nic_that_is_not_there_is_named() -> None:
    sender, receiver = exchange(PLAN, server_nics=("lo", "eth99"))
    assert isinstance(sender.error, LinkError)
    assert sender.error.channel == 1
    assert "eth99" in str(sender.error)
    assert isinstance(receiver.error, BootstrapError), "the echo"
