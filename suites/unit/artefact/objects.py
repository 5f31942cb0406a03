"""Small shared objects, built by the system's compiler or damaged by hand."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

COMPILER = shutil.which("cc")
COMPILE_S = 60
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler: cc")

PLUGIN = """
#include <stdlib.h>
struct table { const char *name; void *verbs[18]; };
static int init(void) { return getenv("NCCL_DEBUG") != 0; }
struct table ncclNetPlugin_v7 = { "Small_v7", { (void *)init } };
"""
TRAPPED = PLUGIN + 'const char *trap = "NCCL_DYNAMIC_CHUNK_SIZE";\n'
CUDA = PLUGIN + "extern int cuInit(unsigned);\nint begin(void) { return cuInit(0); }\n"
LOOSE = (
    PLUGIN + "extern int nobody_has_this(void);\nint begin(void) { return nobody_has_this(); }\n"
)
OLDER = PLUGIN.replace("_v7 =", "_v6 =")
SHORT = PLUGIN.replace("verbs[18]", "verbs[17]")
HIDDEN = PLUGIN.replace(
    "struct table nccl", '__attribute__((visibility("hidden"))) struct table nccl'
)
TEXTREL = PLUGIN + '__asm__(".text\\n.quad ncclNetPlugin_v7\\n");\n'
OTHER = "int other(void) { return 1; }\n"
KIND_AT, MACHINE_AT = 16, 18  # in an ELF header, 2 bytes each
PROGRAM, AARCH64 = 2, 183


def built(folder: Path, source: str, *options: str) -> bytes:
    """The shared object of a source."""
    file, out = folder / "small.c", folder / "small.so"
    file.write_text(source)
    command = [COMPILER or "cc", "-shared", "-fPIC", "-O1", "-o", str(out), str(file), *options]
    subprocess.run(command, check=True, timeout=COMPILE_S, stdin=subprocess.DEVNULL)
    return out.read_bytes()


def for_aarch64(data: bytes) -> bytes:
    """The same file, said to be another machine's."""
    return _with(data, MACHINE_AT, AARCH64)


def for_running(data: bytes) -> bytes:
    """The same file, said to be a program."""
    return _with(data, KIND_AT, PROGRAM)


def _with(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + struct.pack("<H", value) + data[at + 2 :]
