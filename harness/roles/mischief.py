"""The planted faults, committed above TCP: one function for each moment at which a role may err.

Without faults in the plan every function here does the right thing and nothing else.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from harness.plan import Plan
from harness.roles.endpoint import fault
from harness.roles.voice import Voice
from harness.tcpx import payload
from harness.tcpx.bootstrap import Connection
from harness.tcpx.buffers import Buffers
from harness.tcpx.net.plugin import NetHandle

OTHER_PROGRAM = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
HAND_OUT_S = 5.0


def hand_out(plan: Plan, connection: Connection, handles: list[NetHandle]) -> bool:
    """Bootstrap faults: answer wrongly. True when that was done and nothing more is to say."""
    if wrong := fault(plan, "bootstrap_count"):
        answer = wrong.value.to_bytes(4, "little") + b"".join(h.raw for h in handles)
    elif cut := fault(plan, "bootstrap_cut"):
        whole = len(handles).to_bytes(4, "little") + b"".join(h.raw for h in handles)
        answer = whole[: 4 + cut.value]
    elif fault(plan, "bootstrap_garbage"):
        answer = OTHER_PROGRAM
    else:
        return False
    connection.send_exact(answer, HAND_OUT_S)
    return True


def is_blind(plan: Plan) -> bool:
    """Whether the server is to verify nothing."""
    return fault(plan, "blind") is not None or fault(plan, "raw") is not None


def chunks_to_receive(plan: Plan) -> int:
    """All of them, unless the server is to stop short."""
    short = fault(plan, "short")
    return min(short.value, plan.chunks) if short else plan.chunks


def chunk_to_send(plan: Plan, place: int) -> int | None:
    """Which chunk goes where chunk `place` should go; None withholds it."""
    if (withheld := fault(plan, "withhold")) and withheld.chunk == place:
        return None
    if swapped := fault(plan, "swap"):
        return {swapped.chunk: swapped.value, swapped.value: swapped.chunk}.get(place, place)
    return place


def fill(plan: Plan, buffers: Buffers, view: Any, nonce: int, iteration: int, chunk: int) -> None:
    """Write the chunk's words, or what a fault makes of them."""
    stale = fault(plan, "stale")
    if stale and (stale.iteration, stale.chunk) == (iteration, chunk):
        iteration -= 1
    place = payload.Place(iteration=iteration, channel=plan.channel_of(chunk), chunk=chunk)
    buffers.fill(view, nonce, place)
    if fault(plan, "zeros"):
        view[:] = 0
    flip = fault(plan, "flip")
    if flip and flip.chunk == chunk:
        buffers.flip(view, flip.value, 0x10)


def on_chunk(plan: Plan, buffers: Buffers, view: Any, chunk: int) -> bool:
    """Faults that strike when a chunk has arrived, before it is checked; whether it is changed."""
    for kind, strike in (("hang", signal.SIGSTOP), ("die", signal.SIGKILL)):
        if (planted := fault(plan, kind)) and planted.chunk == chunk:
            os.kill(os.getpid(), strike)
    dropped = fault(plan, "drop")
    if dropped is None or dropped.chunk != chunk:
        return False
    buffers.poison(view)
    return True


def exit_status(plan: Plan, voice: Voice) -> int:
    """0, unless the server is to claim success and then exit with something else."""
    voice.say("[PERF] Benchmark completed successfully")
    failing = fault(plan, "exit")
    return failing.value if failing else 0
