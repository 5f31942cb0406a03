"""A plan that exists can be run, adds up, and says the same on every machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import PlanError
from harness.plan import (
    AGENT_EXERCISES,
    CLAIMS,
    KIB,
    MIB,
    PROGRAM_CLAIMS,
    TRANSFER_CLAIMS,
    Fault,
    Plan,
)
from harness.plan.fault import KINDS
from harness.plan.plan import AGENT_FAULTS, EXERCISES

BOUNDS = {
    "channels": (1, 64),
    "size_bytes": (1, 1 << 40),
    "chunk_bytes": (1, 8 * MIB),
    "iterations": (1, 16_384),
    "registrations": (1, 64),
    "sockets_per_channel": (1, 8),
    "recv_window": (1, 16),
    "send_window": (1, 16),
    "port_base": (1, 65535),
    "gpu": (0, 255),
}
PLUGGED = {"transport": "nccl-net", "plugin": "/opt/net.so"}
AGENTS = {"channels": 1, "rails": 2}
ROOM = {"size_bytes": {"chunk_bytes": 8 * MIB}, "chunk_bytes": {"size_bytes": 1}}
SIZES = st.integers(1, 1 << 22)


def test_the_defaults_are_the_transports() -> None:
    plan = Plan()
    assert (plan.channels, plan.size_bytes, plan.chunk_bytes) == (4, 64 * MIB, 512 * KIB)
    assert (plan.recv_window, plan.send_window, plan.port) == (16, 12, 20_000)
    assert (plan.memory, plan.transport) == ("host", "sockets")


@pytest.mark.parametrize("field", BOUNDS)
def test_bounds_are_kept(field: str) -> None:
    low, high = BOUNDS[field]
    for value in (low, high):
        assert getattr(Plan(**{**ROOM.get(field, {}), field: value}), field) == value
    for value in (low - 1, high + 1):
        with pytest.raises(PlanError) as caught:
            Plan(**{**ROOM.get(field, {}), field: value})
        assert f"{field} is {value}, expected {low}..{high}" in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"exercise": "dance"}, "exercise is 'dance', expected one of ['bootstrap', 'nixl-read'"),
        ({"memory": "tape"}, "memory is 'tape', expected one of ['host'"),
        ({"transport": "pigeon"}, "transport is 'pigeon', expected one of ['sockets'"),
        ({"transport": "nccl-net"}, "plugin is '' for the transport 'nccl-net', expected a path"),
        ({"plugin": "/x.so"}, "plugin is '/x.so' for the transport 'sockets', expected a path"),
        ({"rxdm": "somebody"}, "rxdm is 'somebody', expected one of ['', 'stand-in']"),
        ({"rxdm": "stand-in"}, "rxdm is 'stand-in', which only the transport 'nccl-net' asks"),
        ({"claims": ("roles", "honour")}, "claims ['honour'] are unknown, expected some of ["),
        ({"claims": ("gpu",)}, "the claim 'gpu' needs memory 'cuda', not 'host'"),
        ({"port_base": 65_535, "gpu": 1}, "port_base + gpu is 65536, expected at most 65535"),
        ({"size_bytes": (1 << 24) + 1, "chunk_bytes": 1}, "16777217 chunks, expected at most"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(**fields)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"distribution": "most-loaded"}, "distribution is 'most-loaded', expected one of"),
        ({"acknowledged": True}, "least-loaded deals across iterations"),
        ({"claims": ("fairness",)}, "the claim 'fairness' needs round-robin"),
        ({"exercise": "window"}, "not of the exercise 'window'"),
        ({"faults": (Fault(kind="swap"),)}, r"the faults ['swap'] need round-robin"),
        ({"faults": (Fault(kind="stale"),)}, "['stale']"),
        ({"faults": (Fault(kind="withhold"),)}, "['withhold']"),
        ({"faults": (Fault(kind="short"),)}, "['short']"),
        (
            {"iterations": 1 << 14, "size_bytes": (1 << 18) + 1, "chunk_bytes": 1},
            "deals at most 4294967296 chunks",
        ),
    ],
)
def test_what_cannot_be_dealt_is_refused_in_words(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(**{"distribution": "least-loaded", **fields})
    assert said in str(caught.value)


def test_dealt_chunks_keep_few_receives_posted() -> None:
    assert (Plan().is_dealt, Plan().receives_ahead) == (False, 16)
    dealt = Plan(distribution="least-loaded", faults=(Fault(kind="flip"),))
    assert (dealt.is_dealt, dealt.receives_ahead) == (True, 4)
    assert replace(dealt, recv_window=2).receives_ahead == 2


def test_all_problems_come_in_one_error() -> None:
    with pytest.raises(PlanError) as caught:
        Plan(channels=0, iterations=0, gpu=256, exercise="dance", claims=("honour",))
    for field in ("channels", "iterations", "gpu", "exercise", "claims"):
        assert f"{field} " in caught.value.seen
    assert caught.value.where == "plan"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_plan_claims_all_that_its_exercise_can_settle(exercise: str) -> None:
    fields: dict[str, Any] = AGENTS if exercise in AGENT_EXERCISES else {}
    assert Plan(exercise=exercise, **fields).claims == EXERCISES[exercise]
    assert set(EXERCISES[exercise]) <= set(CLAIMS)
    assert Plan(exercise=exercise, claims=("roles",), **fields).claims == ("roles",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rails": 2}, "4 channels and 2 rails for the exercise 'transfer', expected no rails"),
        ({"exercise": "nixl-read"}, "4 channels and 0 rails for the exercise 'nixl-read'"),
        ({"exercise": "nixl-write", **AGENTS, "rails": 17}, "expected 1 channel and 1..16 rails"),
        ({"exercise": "nixl-write", **AGENTS, "channels": 2}, "2 channels and 2 rails"),
        ({"exercise": "nixl-write", **AGENTS, "distribution": "least-loaded"}, "round-robin"),
    ],
)
def test_rails_are_for_agents_and_channels_for_all_else(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(**fields)
    assert said in str(caught.value)


@pytest.mark.parametrize(("registrations", "pieces"), [(1, 1), (3, 3), (5, 4), (64, 7)])
def test_pieces_are_cut_between_chunks(registrations: int, pieces: int) -> None:
    plan = Plan(size_bytes=6_001, chunk_bytes=1000, registrations=registrations)
    assert plan.pieces == pieces
    assert plan.piece_bytes % plan.chunk_bytes == 0


@pytest.mark.parametrize("exercise", sorted(set(EXERCISES) - set(AGENT_EXERCISES)))
def test_a_plan_on_gpus_answers_for_them(exercise: str) -> None:
    plan = Plan(exercise=exercise, memory="cuda")
    assert plan.is_on_gpus
    assert plan.claims == (*EXERCISES[exercise], "gpu")
    assert "gpu" not in Plan(exercise=exercise).claims


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"claims": ("roles", "rails")}, "claims ['rails'] are of agents, expected an exercise of"),
        ({"claims": ("agents",)}, "claims ['agents'] are of agents"),
        ({"program": "iperf3", "claims": ("rails",)}, "claims ['rails'] are of agents"),
    ],
)
def test_what_only_agents_can_settle_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(**fields)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_agents_take_the_faults_that_they_commit(kind: str) -> None:
    fields: dict[str, Any] = {"exercise": "nixl-write", **AGENTS, "faults": (Fault(kind=kind),)}
    if kind in AGENT_FAULTS:
        assert Plan(**fields).faults[0].kind == kind
    else:
        with pytest.raises(PlanError, match=f"agents commit no faults .'{kind}'."):
            Plan(**fields)


def test_claims_of_a_delivery_to_gpus_have_that_of_the_gpus() -> None:
    claims = (*TRANSFER_CLAIMS, "fairness")
    plan = replace(Plan(memory="cuda"), claims=claims)
    assert plan.claims == (*claims, "gpu")
    assert Plan.from_json(plan.to_json()).claims == plan.claims
    assert replace(plan, seed=1).claims == plan.claims
    assert Plan(memory="cuda", claims=("roles",)).claims == ("roles",)
    assert Plan(claims=claims).claims == claims


def test_a_plan_whose_flows_are_told_answers_for_them() -> None:
    plugged = {"transport": "nccl-net", "plugin": "/opt/net.so", "rxdm": "stand-in"}
    plan = Plan(**plugged)
    assert plan.claims == (*TRANSFER_CLAIMS, "steering")
    assert replace(plan, claims=("delivery",)).claims == ("delivery", "steering")
    assert replace(plan, claims=("roles",)).claims == ("roles",)
    assert "steering" not in Plan(**plugged, exercise="window").claims
    for fields in ({}, {**plugged, "exercise": "window"}):
        with pytest.raises(PlanError, match="'steering' needs a transfer with rxdm 'stand-in'"):
            Plan(**fields, claims=("steering",))


def test_another_exercise_needs_its_own_claims_asked_for() -> None:
    transfer = Plan()
    assert replace(transfer, exercise="window").claims == TRANSFER_CLAIMS
    assert replace(transfer, exercise="window", claims=()).claims == EXERCISES["window"]


def test_the_last_chunk_takes_what_is_left() -> None:
    plan = Plan(channels=3, size_bytes=1001, chunk_bytes=100)
    assert plan.chunks == 11
    assert [plan.chunk_size(chunk) for chunk in (0, 9, 10)] == [100, 100, 1]
    assert [plan.channel_of(chunk) for chunk in range(5)] == [0, 1, 2, 0, 1]
    assert [plan.channel_chunks(channel) for channel in range(3)] == [4, 4, 3]
    assert [plan.channel_bytes(channel) for channel in range(3)] == [400, 301, 300]


def test_a_chunk_that_divides_the_size_leaves_nothing() -> None:
    plan = Plan(size_bytes=4 * MIB, chunk_bytes=MIB, iterations=3)
    assert (plan.chunks, plan.chunk_size(3), plan.total_bytes) == (4, MIB, 12 * MIB)


def test_channels_without_a_chunk_carry_nothing() -> None:
    plan = Plan(channels=4, size_bytes=5, chunk_bytes=4)
    assert [plan.channel_bytes(channel) for channel in range(4)] == [4, 1, 0, 0]
    assert [plan.channel_chunks(channel) for channel in range(4)] == [1, 1, 0, 0]


@settings(deadline=None, database=None)
@given(size=SIZES, chunk=st.integers(1 << 10, 1 << 20), channels=st.integers(1, 64))
def test_chunks_and_channels_add_up(size: int, chunk: int, channels: int) -> None:
    plan = Plan(size_bytes=size, chunk_bytes=chunk, channels=channels)
    sizes = [plan.chunk_size(index) for index in range(plan.chunks)]
    assert sum(sizes) == size
    assert all(0 < each <= chunk for each in sizes)
    by_channel = [0] * channels
    for index, each in enumerate(sizes):
        by_channel[plan.channel_of(index)] += each
    assert by_channel == [plan.channel_bytes(channel) for channel in range(channels)]
    assert sum(map(plan.channel_chunks, range(channels))) == plan.chunks


def test_a_plan_survives_json() -> None:
    plan = Plan(
        channels=7,
        size_bytes=12_345,
        deadline_s=2.5,
        claims=("roles", "delivery"),
        faults=(Fault(kind="flip", chunk=3, value=9), Fault(kind="swap_nics")),
    )
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert Plan.from_json({}) == Plan()


def test_fields_of_another_version_are_refused() -> None:
    with pytest.raises(PlanError, match=r"unknown fields \['colour', 'mood'\]; expected some of"):
        Plan.from_json({"channels": 1, "mood": 1, "colour": 2})


def test_a_plan_read_from_json_is_checked_too() -> None:
    with pytest.raises(PlanError, match="channels is 0"):
        Plan.from_json({"channels": 0})


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(PlanError, match=r"unknown fault 'gremlin'; expected one of .*'blind'"):
        Fault(kind="gremlin")


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_has_a_role_that_commits_it(kind: str) -> None:
    fault = Fault(kind=kind)
    committed_by = {role for role in ("server", "client") if fault.by(role)}
    assert committed_by == ({KINDS[kind]} if KINDS[kind] != "both" else {"server", "client"})


def test_a_program_claims_what_its_evidence_can_settle() -> None:
    plan = Plan(program="iperf3", arguments=("-V",))
    assert plan.claims == PROGRAM_CLAIMS
    assert set(PROGRAM_CLAIMS) <= set(CLAIMS) - {"integrity", "sockets"}
    assert Plan(program="iperf3", claims=("integrity",)).claims == ("integrity",)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"program": "iperf3", "faults": (Fault(kind="flip"),)}, "iperf3 commits no planted"),
        ({"program": "iperf3", "distribution": "least-loaded"}, "and deals no chunks"),
        ({"arguments": ("-V",)}, "arguments ['-V'] are for a program, and none is named"),
        ({"program": "iperf3", "memory": "cuda"}, "memory is 'cuda' for iperf3"),
        ({"program": "iperf3", **PLUGGED}, "transport is 'nccl-net' for iperf3, which knows none"),
        ({"exercise": "nixl-write", **AGENTS, "memory": "cuda"}, "memory is 'cuda' for nixl-write"),
        ({"exercise": "nixl-read", **AGENTS, **PLUGGED}, "is 'nccl-net' for nixl-read, which"),
    ],
)
def test_what_a_program_cannot_do_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(**fields)
    assert said in str(caught.value)
