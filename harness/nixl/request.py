"""A request: pieces of our memory, pieces of the peer's, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from harness.errors import LocalProtocolError
from harness.nixl.memory import LocalMemory, RemoteMemory
from harness.nixl.states import Asked, Operation

M = TypeVar("M", LocalMemory, RemoteMemory)


@dataclass(frozen=True, slots=True)
class Piece(Generic[M]):
    """A descriptor: some bytes of one memory."""

    memory: M
    offset: int
    size_bytes: int


@dataclass(slots=True, eq=False)
class Request:
    """What prep_xfer hands out."""

    operation: Operation
    local: tuple[Piece[LocalMemory], ...]
    remote: tuple[Piece[RemoteMemory], ...]
    state: Asked = Asked.PREPARED
    until_s: float = 0.0
    awaited: list[int] = field(default_factory=list)  # chunks of each channel when it is done

    @property
    def memories(self) -> set[LocalMemory | RemoteMemory]:
        return {*(p.memory for p in self.local), *(p.memory for p in self.remote)}

    def refuse_mismatch(self) -> None:
        """Both ends name as many bytes, piece by piece, and bytes that are there."""
        if not self.local or len(self.local) != len(self.remote):
            raise LocalProtocolError(
                f"{len(self.local)} local and {len(self.remote)} remote pieces",
                expected="as many, and at least one",
            )
        for index, (ours, theirs) in enumerate(zip(self.local, self.remote, strict=True)):
            if ours.size_bytes != theirs.size_bytes:
                raise LocalProtocolError(
                    f"piece {index} has {ours.size_bytes} bytes here and {theirs.size_bytes} there",
                    expected="the same size",
                )
            for piece in (ours, theirs):
                _refuse_outside(piece, index)


def _refuse_outside(piece: Piece[LocalMemory] | Piece[RemoteMemory], index: int) -> None:
    offset, size_bytes = piece.offset, piece.size_bytes
    if offset < 0 or size_bytes < 1 or offset + size_bytes > piece.memory.size_bytes:
        raise LocalProtocolError(
            f"piece {index} is bytes {offset} + {size_bytes}",
            expected=f"a piece of its memory's {piece.memory.size_bytes} bytes",
        )
