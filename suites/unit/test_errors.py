"""Errors read as sentences: where, what was seen, what was expected, what to do next."""

from __future__ import annotations

import pickle

import pytest

from harness import errors
from harness.errors import HarnessError, LinkError, NodeError, StallError, TransportError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "no route"),
        ({"expected": "a route"}, "no route; expected a route"),
        ({"fix": "Add one"}, "no route. Add one"),
        ({"where": "a"}, "a: no route"),
        (
            {"where": "a", "expected": "a route", "fix": "Add one"},
            "a: no route; expected a route. Add one",
        ),
    ],
)
def test_an_error_says_what_is_known_and_no_more(said: dict[str, str], sentence: str) -> None:
    assert str(HarnessError("no route", **said)) == sentence


def test_a_headline_begins_with_class_and_place() -> None:
    assert NodeError("lost", where="a").headline == "INFRA_NODE a: lost"
    assert NodeError("lost").headline == "INFRA_NODE: lost"


def test_a_transport_error_names_its_channel() -> None:
    error = StallError("no progress", where="eth1")
    assert str(error) == "eth1: no progress"
    error.channel = 3
    assert str(error) == "channel 3: eth1: no progress"
    assert StallError("no progress", channel=0).headline == "STALL: channel 0: no progress"


def test_fields_can_be_read_one_by_one() -> None:
    error = LinkError("no eth9", channel=2, expected="eth1", where="b", fix="Plug it in")
    found = (error.seen, error.channel, error.expected, error.where, error.fix)
    assert found == ("no eth9", 2, "eth1", "b", "Plug it in")
    assert error.args == ("no eth9",)


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_of_the_one_tree_with_a_word_of_its_own(kind: type[HarnessError]) -> None:
    assert issubclass(kind, HarnessError)
    assert kind.klass.isupper()
    shared = [other for other in ALL if other.klass == kind.klass]
    assert all(issubclass(other, kind) or issubclass(kind, other) for other in shared)


@pytest.mark.parametrize("kind", ALL)
def test_errors_survive_a_process_boundary(kind: type[HarnessError]) -> None:
    error = kind("seen", expected="this", where="there", fix="Do that")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))


def test_what_can_be_caught_together_is_told_apart_by_type() -> None:
    assert not issubclass(errors.NodeError, TransportError)
    assert issubclass(errors.HostKeyError, NodeError)
    assert issubclass(errors.BootstrapError, errors.RemoteProtocolError)
    assert issubclass(errors.PeerGoneError, errors.RemoteProtocolError)
