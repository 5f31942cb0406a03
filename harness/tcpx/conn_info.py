"""conn_info: a listener's handles as the JSON text that the transport's session hands out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.errors import RemoteProtocolError
from harness.tcpx.net.plugin import HANDLE_BYTES, NetHandle

MAX_HANDLES = 64


def to_conn_info(handles: Sequence[NetHandle]) -> str:
    body = {"num_channels": len(handles), "handles": [handle.raw.hex() for handle in handles]}
    return json.dumps(body, separators=(",", ":"))


def from_conn_info(text: str) -> list[NetHandle]:
    """The handles in `text`; refuses a count that is wrong and handles that are no 128 bytes."""
    try:
        body = json.loads(text)
        count, handles = body["num_channels"], [bytes.fromhex(h) for h in body["handles"]]
    except (ValueError, TypeError, KeyError) as error:
        raise RemoteProtocolError(
            f"conn_info that cannot be read: {error}",
            expected='{"num_channels":N,"handles":["<256 hex digits>",...]}',
        ) from error
    if count != len(handles) or not 1 <= len(handles) <= MAX_HANDLES:
        raise RemoteProtocolError(
            f"conn_info with num_channels {count} and {len(handles)} handles",
            expected=f"as many handles as channels, 1..{MAX_HANDLES}",
        )
    if wrong := [len(raw) for raw in handles if len(raw) != HANDLE_BYTES]:
        raise RemoteProtocolError(
            f"a handle of {wrong[0]} bytes", expected=f"{HANDLE_BYTES} bytes each"
        )
    return [NetHandle(raw=raw) for raw in handles]
