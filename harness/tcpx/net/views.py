"""Lists of memoryviews as one run of bytes: cut its head off, shorten it, fill it, read it."""

from __future__ import annotations

from collections.abc import Sequence

Views = list[memoryview]


def cut(views: Views, count: int) -> Views:
    """What remains of `views` after its first `count` bytes."""
    for index, view in enumerate(views):
        if count < len(view):
            return [view[count:], *views[index + 1 :]] if count else views[index:]
        count -= len(view)
    return []


def keep(views: Sequence[memoryview], count: int) -> Views:
    """The first `count` bytes of `views`."""
    kept: Views = []
    for view in views:
        if count <= 0:
            break
        kept.append(view if len(view) <= count else view[:count])
        count -= len(view)
    return kept


def fill(views: Views, data: bytes) -> int:
    """Write the head of `data` over `views`; how many bytes went in."""
    done = 0
    for view in views:
        if done == len(data):
            break
        piece = data[done : done + len(view)]
        view[: len(piece)] = piece
        done += len(piece)
    return done
