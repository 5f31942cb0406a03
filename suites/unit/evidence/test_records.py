"""Every record survives JSON, and nothing else is taken for one."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import asdict, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EvidenceError
from harness.evidence import NicCount, Note, RunStarted, TestsPlanned, decode, encode
from harness.evidence.records import Record

PLAIN = {
    str: st.text(max_size=8),
    type(None): st.none(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Any: st.none() | st.integers() | st.text(max_size=8),
}
# By name: a slotted dataclass leaves the class behind that it was made from.
KINDS = list({kind.__name__: kind for kind in Record.__subclasses__()}.values())


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever a field of that type may hold."""
    origin, items = typing.get_origin(hint), typing.get_args(hint)
    if origin is dict:
        return st.dictionaries(st.text(max_size=4), values(items[1]), max_size=3)
    if origin is types.UnionType:
        return st.one_of(*map(values, items))
    if origin in (tuple, list):
        return st.lists(values(items[0]), max_size=3).map(origin)
    return records(hint) if is_dataclass(hint) else PLAIN[hint]


def records(kind: type) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)})


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None, database=None)
@given(data=st.data())
def test_every_record_comes_back_equal(kind: type[Record], data: st.DataObject) -> None:
    record = data.draw(records(kind))
    assert decode(json.loads(json.dumps(encode(record)))) == record


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None, database=None)
@given(data=st.data())
def test_the_json_is_that_of_asdict(kind: type[Record], data: st.DataObject) -> None:
    record = data.draw(records(kind))
    slowly = {"type": kind.__name__, **asdict(record)}
    assert json.dumps(encode(record)) == json.dumps(slowly)


def test_what_is_inside_anything_is_written_too() -> None:
    inside = {
        "nics": [NicCount(name="lo", bytes_sent=1, bytes_recv=2, packets_sent=3, packets_recv=4)]
    }
    started = RunStarted(tier="t", inventory=inside, options={"x": (None, 1.5)}, versions={})
    assert encode(started) == {"type": "RunStarted", **asdict(started)}


def test_a_written_record_shares_nothing_that_can_change() -> None:
    planned = TestsPlanned(tests={"a": "b"})
    encode(planned)["tests"]["c"] = "d"
    assert planned.tests == {"a": "b"}


def test_the_kind_is_written_first() -> None:
    assert list(encode(Note(text="x"))) == ["type", "text", "node", "role"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_record_lacks_is_named(kind: type[Record]) -> None:
    with pytest.raises(EvidenceError, match=f"a {kind.__name__} that cannot be read: .*missing"):
        decode({"type": kind.__name__})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "Note", "text": "x", "mood": "good"}, "unexpected keyword argument 'mood'"),
        (
            {"type": "SocketsSeen", "node": "a", "at_s": 1.0, "sockets": [{"local_addr": ""}]},
            "a SocketsSeen that cannot be read: .*'local_addr'",
        ),
        (
            {"type": "SocketsSeen", "node": "a", "at_s": 1.0, "sockets": [7]},
            "a SocketsSeen that cannot be read",
        ),
        (
            {"type": "NicCounters", "node": "a", "phase": "idle", "at_s": 1.0, "nics": None},
            "a NicCounters that cannot be read",
        ),
        ({"type": "Gossip"}, "unknown record 'Gossip'; expected one of .*'Note'"),
        ({"type": "SocketSeen"}, "unknown record 'SocketSeen'"),  # a part of records only
        ({"type": "Record"}, "unknown record 'Record'"),
        ({"type": ["Note"]}, r"unknown record \['Note'\]"),
        ({"text": "x"}, "unknown record None"),
        ({}, "unknown record None"),
        ([], "unknown record None"),
        (17, "unknown record None"),
        ("Note", "unknown record None"),
        (None, "unknown record None"),
    ],
)
def test_what_is_no_record_is_refused(body: Any, said: str) -> None:
    with pytest.raises(EvidenceError, match=said):
        decode(body)


def test_decoding_leaves_what_it_was_given_alone() -> None:
    body = {"type": "SocketsSeen", "node": "a", "at_s": 1.0, "sockets": []}
    before = json.dumps(body)
    decode(body)
    assert json.dumps(body) == before
