"""Sends messages with torch's gloo, one part a NIC at the same time.

SIDE ADDRESS PORT MESSAGE_BYTES MESSAGES PARTS
"""

from __future__ import annotations

import datetime
import json
import os
import resource
import sys
import time
from importlib import import_module
from typing import Any

PATIENCE = datetime.timedelta(seconds=60)
SENT, UNTOUCHED = 7, 1


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(side: str, address: str, port: str, size: int, messages: int, parts: int) -> None:
    torch: Any = import_module("torch")
    world: Any = import_module("torch.distributed")
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR=address, MASTER_PORT=port)
    rank = 0 if side == "server" else 1
    world.init_process_group("gloo", rank=rank, world_size=2, timeout=PATIENCE)
    message = torch.empty(size, dtype=torch.uint8).fill_(SENT if rank else UNTOUCHED)
    pieces = message.chunk(parts)

    def move() -> None:
        post, other = (world.isend, 0) if rank else (world.irecv, 1)
        for handle in [post(piece, other, tag=i) for i, piece in enumerate(pieces)]:
            handle.wait()

    move()  # makes the connections
    world.barrier()
    before_s, started_s = cpu_s(), time.monotonic()
    for _ in range(messages):
        move()
    ended_s, used_s = time.monotonic(), cpu_s() - before_s
    if not bool((message == SENT).all()):
        raise SystemExit("the message did not arrive as it was sent")
    figures = {"started_s": started_s, "ended_s": ended_s, "cpu_s": used_s}
    print(json.dumps({**figures, "bytes": size * messages}), flush=True)
    world.barrier()


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:7]))  # type: ignore[arg-type]
