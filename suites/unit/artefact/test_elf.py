"""Reading shared objects that were built for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.artefact import elf, read
from harness.errors import ArtefactError
from suites.unit.artefact import objects
from suites.unit.artefact.objects import built, needs_compiler


@needs_compiler
def test_a_plugin_is_read_without_loading_it(tmp_path: Path) -> None:
    found = read(built(tmp_path, objects.PLUGIN), "p.so")
    assert (found.path, found.kind, found.machine) == ("p.so", "ET_DYN", os.uname().machine)
    assert found.exports["ncclNetPlugin_v7"] == 152
    assert found.net_names == {"ncclNetPlugin_v7": "Small_v7"}
    assert found.needed == ("libc.so.6",)
    assert not found.textrel
    assert not found.reads_chunk_size


@needs_compiler
def test_undefined_symbols_have_version_and_library(tmp_path: Path) -> None:
    found = {one.name: one for one in read(built(tmp_path, objects.CUDA), "p.so").undefined}
    assert found["getenv"].version.startswith("GLIBC_")
    assert found["getenv"].library == "libc.so.6"
    assert (found["cuInit"].version, found["cuInit"].weak) == ("", False)
    assert found["__gmon_start__"].weak


@needs_compiler
def test_relocations_of_code_and_the_trap_are_seen(tmp_path: Path) -> None:
    assert read(built(tmp_path, objects.TEXTREL, "-Wl,-z,notext"), "p.so").textrel
    assert read(built(tmp_path, objects.TRAPPED), "p.so").reads_chunk_size


@needs_compiler
def test_hidden_symbols_are_not_exported(tmp_path: Path) -> None:
    assert "ncclNetPlugin_v7" not in read(built(tmp_path, objects.HIDDEN), "p.so").exports


@needs_compiler
@pytest.mark.parametrize("kept", [64, 200, 1000])
def test_half_a_file_is_told_from_a_whole_one(tmp_path: Path, kept: int) -> None:
    with pytest.raises(ArtefactError, match=r"p\.so: "):
        read(built(tmp_path, objects.PLUGIN)[:kept], "p.so")


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"p\.so: .*expected a shared object"):
        read(data, "p.so")


def test_without_the_library_the_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elf, "find_spec", lambda name: None)
    assert not elf.is_available()
    with pytest.raises(ArtefactError, match=r"pip install 'tcpx-harness\[elf\]'"):
        read(b"", "p.so")
