"""What must hold of a plugin or library before anybody loads it: pure, from its file's own words.

Each check says what was seen and what was expected. The traps are real: an object that must rewrite
its code, one built for a newer C library, one with another table than the one that is looked up, a
mount that refuses code, a plugin whose default chunk size of 0 lets it hang without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.artefact.artefact import Artefact, Undefined

TABLE = "ncclNetPlugin_v7"
TABLE_BYTES = 19 * 8
CHUNK_SIZE = "NCCL_DYNAMIC_CHUNK_SIZE"
# What kinds of artefact must export; the wrapper's verbs are UCCL's.
WRAPPER = (
    "get_device_count load_plugin get_properties listen connect_v5 accept_v5 reg_mr dereg_mr "
    "isend irecv test irecv_consumed close_send close_recv close_listen"
)
EXPORTS = {
    "plugin": (TABLE,),
    "uccl": tuple(f"tcpx_{verb}" for verb in WRAPPER.split()),
    "nixl": ("nixl_plugin_init", "nixl_plugin_fini"),
}
SIGNS = {"plugin": "ncclNetPlugin_v", "uccl": "tcpx_", "nixl": "nixl_plugin_"}
# CUDA, NVML and NCCL are there before such an object is loaded, named by it or not.
PROVIDED = re.compile(r"(?:cu|cuda|__cuda|nvml|nccl|pnccl)[A-Z_]")
SYSTEM = re.compile(r"(?:libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\+\+|ld-linux[\w-]*)\.so")
GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)")
SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the artefact is to be loaded. What is not known is '', and is not held against it."""

    machine: str = ""
    libc: str = ""  # glibc 2.36
    noexec: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""  # one of EXPORTS; '' = what it looks like
    net_name: str = ""  # what the plugin must call itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    ok: bool
    seen: str
    expected: str
    fix: str = ""

    def __str__(self) -> str:
        told = f"{self.name}: {self.seen}"
        return told if self.ok else f"{told}; expected {self.expected}. {self.fix}".strip()


def checks(artefact: Artefact, target: Target) -> tuple[Check, ...]:
    """All of them, those that hold too."""
    found = [
        _kind(artefact),
        _machine(artefact, target),
        _exports(artefact, target),
        _textrel(artefact),
        _undefined(artefact),
        _libc(artefact, target),
        _mount(target),
    ]
    return (*found, *_table(artefact, target), *_chunk_size(artefact, target))


def _kind(artefact: Artefact) -> Check:
    return Check(
        name="kind",
        ok=artefact.kind == "ET_DYN",
        seen=artefact.kind,
        expected="ET_DYN, a shared object",
        fix="Link it with -shared",
    )


def _machine(artefact: Artefact, target: Target) -> Check:
    return Check(
        name="machine",
        ok=not target.machine or artefact.machine == target.machine,
        seen=artefact.machine,
        expected=f"{target.machine}, as the node is",
        fix="Install the build for that architecture",
    )


def _exports(artefact: Artefact, target: Target) -> Check:
    kind = target.kind or _looks_like(artefact)
    wanted = EXPORTS.get(kind, (TABLE,))
    missing = [name for name in wanted if name not in artefact.exports]
    tables = sorted(name for name in artefact.exports if name.startswith(SIGNS["plugin"]))
    seen = f"{len(artefact.exports)} names, {_some(tables) if tables else 'no plugin table'}"
    return Check(
        name="exports",
        ok=not missing,
        seen=seen + (f", without {_some(missing)}" if missing else f", all of a {kind}"),
        expected=_some(wanted),
        fix="Is it another library, or one built without default visibility?",
    )


def _looks_like(artefact: Artefact) -> str:
    signs = ((kind, sign) for kind, sign in SIGNS.items())
    return next((k for k, s in signs if any(n.startswith(s) for n in artefact.exports)), "")


def _table(artefact: Artefact, target: Target) -> Iterator[Check]:
    """The verbs' table has 19 pointers, the first to the plugin's name."""
    size = artefact.exports.get(TABLE)
    if size is None:
        return
    name = artefact.net_names.get(TABLE, "")
    yield Check(
        name="table",
        ok=size in (0, TABLE_BYTES),  # a stripped symbol may have lost its size
        seen=f"{TABLE} of {size} bytes",
        expected=f"{TABLE_BYTES} bytes, 19 pointers",
        fix="It is a table of another version under this name",
    )
    yield Check(
        name="net name",
        ok=name == target.net_name if target.net_name else True,
        seen=name or "not to be read from the file",
        expected=target.net_name,
        fix="Another plugin lies under this path: see where its symlink leads",
    )


def _textrel(artefact: Artefact) -> Check:
    return Check(
        name="text relocations",
        ok=not artefact.textrel,
        seen="TEXTREL" if artefact.textrel else "none",
        expected="none: loading it would rewrite its code",
        fix="Compile every object with -fPIC, device code with -Xcompiler -fPIC",
    )


def _undefined(artefact: Artefact) -> Check:
    """A name without a version is no system library's; it is CUDA's, another named library's, or
    nobody's."""
    loose = [s for s in artefact.undefined if not (s.version or s.weak)]
    others = [name for name in artefact.needed if not SYSTEM.match(name)]
    strange = [s.name for s in loose if not PROVIDED.match(s.name)]
    cuda = [s.name for s in loose if PROVIDED.match(s.name)]
    seen = f"{len(artefact.undefined)} in all, {len(cuda)} of CUDA or NCCL"
    if strange:
        seen += f", {len(strange)} without a version: {_some(strange)}"
    if cuda and not any("cuda" in name or "nccl" in name for name in artefact.needed):
        seen += "; it names no CUDA library, so one must be loaded before it"
    return Check(
        name="undefined symbols",
        ok=not strange or bool(others),
        seen=seen + (f"; it needs {_some(others)}" if others else ""),
        expected="each versioned, or of CUDA or NCCL, or of a library that it names",
        fix="Link what defines them, or name its library with -l",
    )


def _libc(artefact: Artefact, target: Target) -> Check:
    wanted = max((_version(s) for s in artefact.undefined), default=(0, 0))
    there = re.fullmatch(r"glibc (\d+)\.(\d+).*", target.libc)
    return Check(
        name="libc",
        ok=there is None or wanted <= (int(there[1]), int(there[2])),
        seen="needs glibc {}.{}".format(*wanted) if wanted > (0, 0) else "needs no version",
        expected=f"at most {target.libc}, which is there",
        fix="Build it on a system as old as the node, or use a container of its own",
    )


def _version(symbol: Undefined) -> tuple[int, int]:
    match = GLIBC.match(symbol.version)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _mount(target: Target) -> Check:
    return Check(
        name="mount",
        ok=not target.noexec,
        seen="noexec" if target.noexec else "may be executed from",
        expected="one that code may be mapped from",
        fix="Copy it elsewhere, or remount that with exec",
    )


def _chunk_size(artefact: Artefact, target: Target) -> Iterator[Check]:
    """Only of a plugin that reads the variable."""
    if not artefact.reads_chunk_size:
        return
    value = target.environment.get(CHUNK_SIZE, "")
    yield Check(
        name="chunk size",
        ok=value.isascii() and value.isdigit() and int(value) > 0,
        seen=f"it reads {CHUNK_SIZE}, which is {value or 'not set'}",
        expected="a size such as 524288: at its default of 0 no receive ever ends",
        fix=f"Set {CHUNK_SIZE}; presets do: python -m harness env show",
    )


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
