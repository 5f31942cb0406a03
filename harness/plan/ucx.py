"""What UCX reads from its environment, for those that carry bytes with it."""

from __future__ import annotations

from collections.abc import Sequence


def environment(nics: Sequence[str]) -> dict[str, str]:
    """TCP over exactly these NICs, all of them for every kind of message."""
    rails = str(len(nics))
    return {
        "UCX_TLS": "tcp,self",
        "UCX_NET_DEVICES": ",".join(nics),
        "UCX_MAX_RNDV_RAILS": rails,
        "UCX_MAX_EAGER_RAILS": rails,
        "UCX_MAX_RMA_RAILS": rails,
        "UCX_LOG_LEVEL": "error",
    }
