"""Reads a shared object through pyelftools, which only this file knows.

The name that a plugin gives itself is the first pointer of its table: where a relocation fills it
in, the relocation says what with; else the file has the address already.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from harness.artefact.artefact import Artefact, Undefined
from harness.errors import ArtefactError

MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64", "EM_386": "i686", "EM_PPC64": "ppc64le"}
NET_TABLE = "ncclNetPlugin_v"
CHUNK_SIZE = b"DYNAMIC_CHUNK_SIZE"
EXPORTED = ("STB_GLOBAL", "STB_WEAK", "STB_LOOS")
HIDDEN = ("STV_HIDDEN", "STV_INTERNAL")
NAME_BYTES = 256
PIP = "Run: pip install 'tcpx-harness[elf]'"


def is_available() -> bool:
    """Whether pyelftools is there; without it nothing can be read."""
    return find_spec("elftools") is not None


def read(data: bytes, path: str) -> Artefact:
    """The artefact in `data`; ArtefactError when it is none, or pyelftools is not there."""
    if not is_available():
        raise ArtefactError("pyelftools is not installed", where=path, fix=PIP)
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        return _read(ELFFile(io.BytesIO(data)), data, path)
    except (ELFError, struct.error, KeyError) as error:
        raise ArtefactError(
            f"cannot be read as ELF: {error}", where=path, expected="a shared object"
        ) from error


def _read(elf: Any, data: bytes, path: str) -> Artefact:
    symbols, dynamic = elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".dynamic")
    if symbols is None or dynamic is None:
        raise ArtefactError("has no dynamic symbols", where=path, expected="a shared object")
    tags = list(dynamic.iter_tags())
    exported = {s.name: s for s in symbols.iter_symbols() if _is_exported(s)}
    tables = {name: s for name, s in exported.items() if name.startswith(NET_TABLE)}
    return Artefact(
        path=path,
        kind=elf["e_type"],
        machine=MACHINES.get(elf["e_machine"], str(elf["e_machine"])),
        needed=tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
        exports={name: s["st_size"] for name, s in exported.items()},
        undefined=tuple(_undefined(elf, symbols)),
        net_names={name: _net_name(elf, data, s["st_value"]) for name, s in tables.items()},
        textrel=any(map(_is_textrel, tags)),
        reads_chunk_size=CHUNK_SIZE in data,
    )


def _is_exported(symbol: Any) -> bool:
    return bool(
        symbol.name
        and symbol["st_shndx"] != "SHN_UNDEF"
        and symbol["st_info"]["bind"] in EXPORTED
        and symbol["st_other"]["visibility"] not in HIDDEN
    )


def _is_textrel(tag: Any) -> bool:
    """Said in a tag of its own, or as a flag (DF_TEXTREL)."""
    if tag.entry.d_tag == "DT_FLAGS":
        return bool(tag.entry.d_val & 0x4)
    return bool(tag.entry.d_tag == "DT_TEXTREL")


def _undefined(elf: Any, symbols: Any) -> Iterator[Undefined]:
    versions, numbers = _versions(elf), elf.get_section_by_name(".gnu.version")
    for index, symbol in enumerate(symbols.iter_symbols()):
        if not symbol.name or symbol["st_shndx"] != "SHN_UNDEF":
            continue
        number = numbers.get_symbol(index)["ndx"] if numbers else 0
        version, library = versions.get(number, ("", ""))
        weak = symbol["st_info"]["bind"] == "STB_WEAK"
        yield Undefined(name=symbol.name, version=version, library=library, weak=weak)


def _versions(elf: Any) -> dict[int, tuple[str, str]]:
    """Number of a version -> its name and the library that has it."""
    section = elf.get_section_by_name(".gnu.version_r")
    if section is None:
        return {}
    return {
        one["vna_other"]: (one.name, library.name)
        for library, ones in section.iter_versions()
        for one in ones
    }


def _net_name(elf: Any, data: bytes, table: int) -> str:
    """The text that the first pointer of the table leads to; '' when it leads nowhere."""
    target = _relocated(elf, table)
    if target is None and (at := _offset(elf, table)) is not None:
        (target,) = struct.unpack_from("<Q", data, at)
    start = _offset(elf, target) if target else None
    if start is None:
        return ""
    return data[start : start + NAME_BYTES].split(b"\0", 1)[0].decode("ascii", "backslashreplace")


def _relocated(elf: Any, place: int) -> int | None:
    """What a relocation writes to `place`, relative to where the object is loaded."""
    section, symbols = elf.get_section_by_name(".rela.dyn"), elf.get_section_by_name(".dynsym")
    for relocation in section.iter_relocations() if section else ():
        if relocation["r_offset"] == place:
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            return int(symbol["st_value"] + relocation["r_addend"])
    return None


def _offset(elf: Any, address: int) -> int | None:
    """Where in the file that address is."""
    return next(iter(elf.address_offsets(address)), None)
