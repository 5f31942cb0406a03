"""Messages cross whole, with their bytes and their files, or the other end is gone."""

from __future__ import annotations

import os
import tempfile

import pytest

from harness.tcpx.net.nccl_net import wire
from harness.tcpx.net.nccl_net.wire import Gone, Message


def test_a_message_crosses_whole() -> None:
    one, other = wire.pair()
    with one, other, tempfile.TemporaryFile() as file:
        file.write(b"shared")
        file.flush()
        wire.send(
            one, Message({"verb": "regMr", "mr": 1}, bytes(range(256)) * 128, [file.fileno()])
        )
        wire.send(one, Message({"verb": "next"}))
        first, second = wire.receive(other), wire.receive(other)
        assert (first.body, first.data) == ({"verb": "regMr", "mr": 1}, bytes(range(256)) * 128)
        assert os.pread(first.files[0], 6, 0) == b"shared"
        assert not os.get_inheritable(first.files[0])
        first.close_files()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(first.files[0])
        assert (second.body, second.data, list(second.files)) == ({"verb": "next"}, b"", [])


def test_an_end_that_is_closed_is_gone_for_both_directions() -> None:
    one, other = wire.pair()
    other.close()
    with one:
        with pytest.raises(Gone):
            wire.receive(one)
        with pytest.raises(Gone):
            wire.send(one, Message({}))
