"""The daemon's messages, to the byte as the real plugin sends and expects them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import RemoteProtocolError
from harness.tcpx.rxdm.message import FlowRule, framed, parse, raw, raw_of, rule_of

OK = bytes.fromhex("00050a034f6b2e")  # the one answer that the real plugin takes
# A rule laid out as the real plugin's: 52 bytes of request, 36 of them the ntuple.
ASKED = (
    bytes.fromhex("12340a240801120f0a09")
    + b"127.0.0.1"
    + bytes.fromhex("10b0ea011a0f0a09")
    + b"127.0.0.1"
    + bytes.fromhex("1099ff021a0c")
    + b"0000:04:00.0"
)


def test_the_answer_is_the_one_that_is_taken() -> None:
    assert framed(raw(b"Ok.")) == OK
    assert raw_of(OK[2:]) == b"Ok."


def test_a_rule_is_read() -> None:
    assert rule_of(ASKED) == FlowRule(
        source_address="127.0.0.1",
        source_port=30_000,
        destination_address="127.0.0.1",
        destination_port=49_049,
        gpu="0000:04:00.0",
    )


def test_a_queue_is_read_where_it_is_named() -> None:
    ntuple = ASKED[2:40]
    body = ntuple + bytes.fromhex("1007") + ASKED[40:]
    assert rule_of(bytes([0x12, len(body)]) + body).queue == 7


@settings(deadline=None, database=None, max_examples=50)
@given(data=st.binary(max_size=300))
def test_bytes_come_back_as_they_were(data: bytes) -> None:
    assert raw_of(raw(data)) == data


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no field 2"),
        (ASKED[:-1], "a message that is cut"),
        (b"\x12\x80", "a message that is cut"),
        (b"\x0d1234", "a field of kind 5"),
        (raw(b"hello"), "no field 2"),
    ],
)
def test_what_is_no_rule_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        rule_of(body)


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    assert parse(bytes.fromhex("08010802")) == {1: 2}
