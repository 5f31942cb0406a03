"""The handle: 128 bytes that begin with a socket address."""

from __future__ import annotations

import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.net.handle import Listening
from harness.tcpx.net.plugin import NetHandle

WHERE = Listening(address="198.18.3.2", port=0x1234, sockets=2, nonce=0x1122334455667788)


def test_a_handle_says_what_was_put_in() -> None:
    assert Listening.from_handle(WHERE.to_handle()) == WHERE


def test_its_first_bytes_are_family_port_and_address() -> None:
    raw = WHERE.to_handle().raw
    assert len(raw) == 128
    assert raw[:8] == b"\x02\x00\x12\x34\xc6\x12\x03\x02"


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x02\x00" + b"\0" * 100, b"A" * 128, b"\x02\x00" + b"\0" * 126],
    ids=["empty", "short", "garbage", "no-sockets"],
)
def test_what_is_no_handle_is_refused(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="a handle of"):
        Listening.from_handle(NetHandle(raw=raw))
