"""The receive daemon's messages: protocol buffers in frames of a 16-bit big-endian length.

Only what is needed of protocol buffers is here: numbers (varints) and strings of bytes, by the
number of their field.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from harness.errors import RemoteProtocolError

LENGTH = struct.Struct(">H")
RAW_BYTES, RULE_REQUEST = 1, 2  # fields of the outermost message
_NTUPLE, _QUEUE, _GPU = 1, 2, 3  # of a rule's request
_FLOW_TYPE, _SOURCE, _DESTINATION = 1, 2, 3  # of the ntuple
_ADDRESS, _PORT = 1, 2  # of one end
_NUMBER, _BYTES = 0, 2  # kinds of fields
_ANY_QUEUE = -1

Fields = dict[int, int | bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRule:
    """Packets of this flow are to land in the memory of this GPU."""

    source_address: str
    source_port: int
    destination_address: str
    destination_port: int
    gpu: str  # its PCI address
    queue: int = _ANY_QUEUE


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def raw(data: bytes) -> bytes:
    """A message of nothing but bytes."""
    return _varint(RAW_BYTES << 3 | _BYTES) + _varint(len(data)) + data


def raw_of(body: bytes) -> bytes:
    """The bytes of such a message; none of another."""
    return _bytes(parse(body), RAW_BYTES)


def rule_of(body: bytes) -> FlowRule:
    """The rule that a message asks for."""
    request = parse(_needed(parse(body), RULE_REQUEST))
    ntuple = parse(_needed(request, _NTUPLE))
    source, destination = parse(_needed(ntuple, _SOURCE)), parse(_needed(ntuple, _DESTINATION))
    return FlowRule(
        source_address=_text(source, _ADDRESS),
        source_port=_number(source, _PORT),
        destination_address=_text(destination, _ADDRESS),
        destination_port=_number(destination, _PORT),
        gpu=_text(request, _GPU),
        queue=_number(request, _QUEUE, _ANY_QUEUE),
    )


def parse(body: bytes) -> Fields:
    """Each field's last value."""
    left = iter(body)
    found: Fields = {}
    try:
        for tag in left:
            number, kind = divmod(_read(left, tag), 8)
            if kind == _NUMBER:
                found[number] = _read(left, next(left))
            elif kind == _BYTES:
                found[number] = _take(left, _read(left, next(left)))
            else:
                raise _refused(body, f"a field of kind {kind}")
    except StopIteration:
        raise _refused(body, "a message that is cut") from None
    return found


def _read(left: Iterator[int], first: int) -> int:
    """A varint, of which the first byte was taken."""
    value, shift, byte = first & 0x7F, 7, first
    while byte & 0x80:
        byte = next(left)
        value |= (byte & 0x7F) << shift
        shift += 7
    return value


def _take(left: Iterator[int], count: int) -> bytes:
    return bytes([next(left) for _ in range(count)])


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _needed(fields: Fields, number: int) -> bytes:
    if not isinstance(value := fields.get(number), bytes):
        raise _refused(repr(fields).encode(), f"no field {number}")
    return value


def _bytes(fields: Fields, number: int) -> bytes:
    value = fields.get(number)
    return value if isinstance(value, bytes) else b""


def _text(fields: Fields, number: int) -> str:
    return _bytes(fields, number).decode(errors="replace")


def _number(fields: Fields, number: int, otherwise: int = 0) -> int:
    value = fields.get(number)
    return value if isinstance(value, int) else otherwise


def _refused(body: bytes, why: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{why} in {body[:64]!r}", expected="a message of the receive daemon's protocol"
    )
