"""ncclNet v7 in ctypes: its return codes, its structures and the table of its verbs.

The table is found by its one symbol. A verb is called by name; whoever wants to know what the
plugin is busy with, or died of, is told before each call and after it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_size_t,
    c_uint64,
    c_ulong,
    c_void_p,
)
from typing import Any

SYMBOL = "ncclNetPlugin_v7"
SUCCESS, SYSTEM_ERROR, REMOTE_ERROR = 0, 2, 6
RESULTS = (
    "ncclSuccess",
    "ncclUnhandledCudaError",
    "ncclSystemError",
    "ncclInternalError",
    "ncclInvalidArgument",
    "ncclInvalidUsage",
    "ncclRemoteError",
    "ncclInProgress",
)
DEVICE_UNPACK = 1  # netDeviceType: receives land in a bounce buffer
DEVICE_HANDLE_BYTES = 512  # the structure has 32; whoever writes more meets nothing of ours
ALIGNMENT = 16

# Behind the format come whatever arguments it has: whole numbers and pointers in one row, floating
# point in another, as the calling conventions of x86-64 and AArch64 pass them.
WHOLE, FLOATING = 16, 8
LOGGER = CFUNCTYPE(
    None,
    c_int,
    c_ulong,
    c_char_p,
    c_int,
    c_void_p,
    *[c_uint64] * WHOLE,
    *[c_double] * FLOATING,
)


class Properties(Structure):
    """What a device says of itself."""

    _fields_ = (
        ("name", c_char_p),
        ("pci_path", c_char_p),
        ("guid", c_uint64),
        ("ptr_support", c_int),
        ("speed", c_int),
        ("port", c_int),
        ("latency", c_float),
        ("max_comms", c_int),
        ("max_recvs", c_int),
        ("device_type", c_int),
        ("device_version", c_int),
    )


class DeviceHandle(Structure):
    """What accept leaves for the unpack step."""

    _fields_ = (
        ("type", c_int),
        ("version", c_int),
        ("handle", c_void_p),
        ("size", c_size_t),
        ("needs_proxy", c_int),
    )


_PP = POINTER(c_void_p)
_INTS = POINTER(c_int)
_VERBS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("init", (LOGGER,)),
    ("devices", (_INTS,)),
    ("getProperties", (c_int, POINTER(Properties))),
    ("listen", (c_int, c_void_p, _PP)),
    ("connect", (c_int, c_void_p, _PP, _PP)),
    ("accept", (c_void_p, _PP, _PP)),
    ("regMr", (c_void_p, c_void_p, c_int, c_int, _PP)),
    ("regMrDmaBuf", (c_void_p, c_void_p, c_size_t, c_int, c_uint64, c_int, _PP)),
    ("deregMr", (c_void_p, c_void_p)),
    ("isend", (c_void_p, c_void_p, c_int, c_int, c_void_p, _PP)),
    ("irecv", (c_void_p, c_int, _PP, _INTS, _INTS, _PP, _PP)),
    ("iflush", (c_void_p, c_int, _PP, _INTS, _PP, _PP)),
    ("test", (c_void_p, _INTS, _INTS)),
    ("closeSend", (c_void_p,)),
    ("closeRecv", (c_void_p,)),
    ("closeListen", (c_void_p,)),
    ("getDeviceMr", (c_void_p, c_void_p, _PP)),
    ("irecvConsumed", (c_void_p, c_int, c_void_p)),
)


class TableV7(Structure):
    """The plugin's one exported object."""

    _fields_ = (
        ("name", c_char_p),
        *((verb, CFUNCTYPE(c_int, *arguments)) for verb, arguments in _VERBS),
    )


class Table:
    """A loaded plugin. `call` returns the verb's code; `at` hears which verb is under way, '' when
    none is."""

    def __init__(self, path: str, at: Callable[[str], None] = lambda verb: None) -> None:
        self._library = ctypes.CDLL(path)
        self._table = TableV7.in_dll(self._library, SYMBOL)
        self._at = at

    @property
    def name(self) -> str:
        raw: bytes = self._table.name or b""
        return raw.decode(errors="replace")

    def has(self, verb: str) -> bool:
        return bool(getattr(self._table, verb))

    def call(self, verb: str, *arguments: Any) -> int:
        self._at(verb)
        code: int = getattr(self._table, verb)(*arguments)
        self._at("")
        return code


class DeviceStorage:
    """Zeroed, aligned room for a device handle, which must outlive its comm."""

    def __init__(self) -> None:
        self._room = ctypes.create_string_buffer(DEVICE_HANDLE_BYTES + ALIGNMENT)
        start = -(-ctypes.addressof(self._room) // ALIGNMENT) * ALIGNMENT
        self.pointer = c_void_p(start)

    @property
    def handle(self) -> DeviceHandle | None:
        """What is there now, wherever the plugin made the pointer point."""
        return DeviceHandle.from_address(self.pointer.value) if self.pointer.value else None


def result_name(code: int) -> str:
    known = 0 <= code < len(RESULTS)
    return f"{RESULTS[code]} ({code})" if known else f"return code {code}"
