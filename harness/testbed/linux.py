"""The system calls that Python's standard library lacks, each as one function that raises OSError.

This is the project's one ctypes file for the kernel: `os.unshare` and `os.setns` need Python 3.12,
and mount, prctl and mount_setattr are in no version.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from contextlib import suppress
from pathlib import Path

NEWTIME, NEWNS, NEWUTS, NEWIPC = 0x80, 0x20000, 0x4000000, 0x8000000
NEWPID, NEWNET = 0x20000000, 0x40000000

RDONLY, NOSUID, NODEV, NOEXEC = 0x1, 0x2, 0x4, 0x8
REMOUNT, BIND, REC, PRIVATE = 0x20, 0x1000, 0x4000, 0x40000

_PR_SET_PDEATHSIG = 1
_MOUNT_SETATTR = 442  # the same number on every architecture
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = -100, 0x8000, 0x1

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave the given namespaces for new ones; pid and time apply to children only."""
    _check(_libc.unshare(flags), "unshare")


def setns(file: int, kind: int) -> None:
    """Move the calling thread into the namespace behind an open file."""
    _check(_libc.setns(file, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    done = _libc.mount(
        source.encode(),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _check(done, target)


def read_only_tree(top: str = "/") -> None:
    """Make every mount below `top` read-only."""
    attributes = struct.pack("QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    done = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(top)),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.c_char_p(attributes),
        ctypes.c_size_t(len(attributes)),
    )
    if done != 0 and ctypes.get_errno() == errno.ENOSYS:  # before Linux 5.12
        _remount_each(top)
    else:
        _check(done, top)


def _remount_each(top: str) -> None:
    """What read_only_tree does, mount by mount. A remount must repeat the flags that are set."""
    known = {"nosuid": NOSUID, "nodev": NODEV, "noexec": NOEXEC}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        target = fields[4].encode().decode("unicode_escape")
        if not f"{target}/".startswith(top):
            continue
        kept = sum(known.get(option, 0) for option in fields[5].split(","))
        with suppress(FileNotFoundError):  # hidden below a later mount: nobody can write there
            mount("", target, flags=REMOUNT | BIND | RDONLY | kept)


def die_with_parent(parent_pid: int) -> None:
    """Be killed when the parent's thread that made this process ends, also when it already has."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def _check(done: int, what: str) -> None:
    if done != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
