"""conn_info: the text that the transport's session hands out, and nothing that looks like it."""

from __future__ import annotations

import json

import pytest

from harness.errors import RemoteProtocolError
from harness.tcpx.conn_info import from_conn_info, to_conn_info
from harness.tcpx.net.plugin import NetHandle

HANDLES = [NetHandle(raw=bytes([i]) * 128) for i in (1, 0xAB)]


def test_the_text_is_the_transports() -> None:
    text = to_conn_info(HANDLES)
    assert text == '{"num_channels":2,"handles":["' + "01" * 128 + '","' + "ab" * 128 + '"]}'
    assert [handle.raw for handle in from_conn_info(text)] == [handle.raw for handle in HANDLES]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("7", "cannot be read"),
        ('{"handles":[]}', "cannot be read"),
        ('{"num_channels":1,"handles":["xy"]}', "cannot be read"),
        ('{"num_channels":1,"handles":[7]}', "cannot be read"),
        ('{"num_channels":0,"handles":[]}', "num_channels 0 and 0 handles"),
        ('{"num_channels":3,"handles":["00"]}', "num_channels 3 and 1 handles"),
        ('{"num_channels":1,"handles":["00"]}', "a handle of 1 bytes; expected 128"),
        (json.dumps({"num_channels": 65, "handles": ["00" * 128] * 65}), "65 handles"),
    ],
)
def test_what_is_no_conn_info_is_refused(text: str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        from_conn_info(text)
