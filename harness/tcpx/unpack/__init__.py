"""From scattered pages to one message."""

from harness.tcpx.unpack.gather import unpack

__all__ = ["unpack"]
