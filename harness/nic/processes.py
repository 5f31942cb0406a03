"""Who a process on a GPU is, as /proc tells it.

NVML names processes by their pid in the PID namespace of whoever asks, and leaves out those that
cannot be named there. From the machine's own namespace it shows all of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.evidence import GpuProcess

PROC = Path("/proc")
FIRST_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO: the machine's own, on every kernel


def sees_all(proc: Path = PROC) -> bool:
    """Whether this process is in the machine's own PID namespace, from which none is hidden."""
    try:
        return os.readlink(proc / "self/ns/pid") == FIRST_NAMESPACE
    except OSError:
        return False


def process(pid: int, memory_bytes: int | None, proc: Path = PROC) -> GpuProcess:
    """The process with its name, session and innermost pid; only its pid once it has gone."""
    try:
        stat = (proc / str(pid) / "stat").read_text(errors="replace")
        status = (proc / str(pid) / "status").read_text(errors="replace")
    except OSError:
        return GpuProcess(pid=pid, memory_bytes=memory_bytes)
    name, _, rest = stat.partition("(")[2].rpartition(")")  # a name may hold brackets itself
    return GpuProcess(
        pid=pid,
        memory_bytes=memory_bytes,
        name=name,
        session=int(rest.split()[3]),  # after state, parent and process group
        inner_pid=_inner_pid(status, pid),
    )


def _inner_pid(status: str, pid: int) -> int:
    """The last number of NSpid: the pid in the namespace that the process itself lives in."""
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    return pid
