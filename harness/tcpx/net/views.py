"""A list of memoryviews as one run of bytes."""

from __future__ import annotations

Views = list[memoryview]


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
