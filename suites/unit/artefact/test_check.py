"""Each check with an object that fails it, and the reason it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.artefact import Check, Target, checks, read
from harness.artefact.check import WRAPPER
from suites.unit.artefact import objects
from suites.unit.artefact.objects import built, for_aarch64, needs_compiler

pytestmark = needs_compiler
WRAPPED = "".join(f"int tcpx_{verb}(void) {{ return 0; }}\n" for verb in WRAPPER.split())
CHUNKED = {"NCCL_DYNAMIC_CHUNK_SIZE": "524288"}


def found(folder: Path, source: str, *options: str, **target: object) -> list[Check]:
    artefact = read(built(folder, source, *options), "p.so")
    return list(checks(artefact, Target(**target)))  # type: ignore[arg-type]


def wrong(found: list[Check]) -> Check:
    """The one check that does not hold."""
    (one,) = (check for check in found if not check.ok)
    return one


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (objects.PLUGIN, {"net_name": "Small_v7", "kind": "plugin"}),
        (objects.CUDA, {}),
        (objects.TRAPPED, {"environment": CHUNKED}),
        (WRAPPED, {"kind": "uccl"}),
    ],
)
def test_a_sound_object_passes_all(tmp_path: Path, source: str, target: dict[str, object]) -> None:
    told = found(tmp_path, source, machine="", libc="glibc 2.99", **target)
    assert [str(check) for check in told if not check.ok] == []
    assert {"kind", "machine", "exports", "text relocations", "undefined symbols", "libc"} <= {
        check.name for check in told
    }


@pytest.mark.parametrize(
    ("source", "target", "name", "words"),
    [
        (objects.OLDER, {}, "exports", "ncclNetPlugin_v6, without ncclNetPlugin_v7"),
        (objects.HIDDEN, {"kind": "plugin"}, "exports", "no plugin table"),
        (objects.OTHER, {}, "exports", "no plugin table"),
        (objects.SHORT, {}, "table", "of 144 bytes; expected 152 bytes"),
        (objects.PLUGIN, {"net_name": "GPUDirectTCPX_v7"}, "net name", "Small_v7; expected GPUD"),
        (objects.LOOSE, {}, "undefined symbols", "without a version: nobody_has_this; expected"),
        (objects.PLUGIN, {"libc": "glibc 2.1"}, "libc", "expected at most glibc 2.1"),
        (objects.PLUGIN, {"noexec": True}, "mount", "noexec; expected"),
        (objects.TRAPPED, {}, "chunk size", "which is not set; expected a size such as 524288"),
        (
            objects.TRAPPED,
            {"environment": {"NCCL_DYNAMIC_CHUNK_SIZE": "0"}},
            "chunk size",
            "which is 0; expected",
        ),
        (WRAPPED.replace("tcpx_irecv(", "tcpx_recv("), {}, "exports", "without tcpx_irecv;"),
        (objects.PLUGIN, {"machine": "aarch64"}, "machine", "expected aarch64, as the node is"),
    ],
)
def test_each_fault_is_named_and_alone(
    tmp_path: Path, source: str, target: dict[str, object], name: str, words: str
) -> None:
    one = wrong(found(tmp_path, source, **target))
    assert one.name == name
    assert words in str(one)


def test_code_that_must_be_rewritten_is_refused(tmp_path: Path) -> None:
    one = wrong(found(tmp_path, objects.TEXTREL, "-Wl,-z,notext"))
    assert str(one).startswith("text relocations: TEXTREL; expected none")
    assert "-fPIC" in str(one)


def test_an_object_of_another_machine_is_refused(tmp_path: Path) -> None:
    artefact = read(for_aarch64(built(tmp_path, objects.OTHER)), "p.so")
    told = {check.name: check for check in checks(artefact, Target(machine="x86_64"))}
    assert str(told["machine"]).startswith("machine: aarch64; expected x86_64, as the node is")


def test_a_program_is_no_shared_object(tmp_path: Path) -> None:
    data = objects.for_running(built(tmp_path, objects.PLUGIN))
    one = wrong(list(checks(read(data, "p.so"), Target())))
    assert str(one).startswith("kind: ET_EXEC; expected ET_DYN")


def test_cuda_without_its_library_is_said_and_allowed(tmp_path: Path) -> None:
    told = {check.name: check for check in found(tmp_path, objects.CUDA)}
    one = told["undefined symbols"]
    assert one.ok
    assert "1 of CUDA or NCCL; it names no CUDA library, so one must be loaded" in one.seen


def test_a_named_library_may_bring_what_is_loose(tmp_path: Path) -> None:
    brings = tmp_path / "libbrings.so"
    (tmp_path / "brings").mkdir()
    brings.write_bytes(built(tmp_path / "brings", "int nobody_has_this(void) { return 1; }\n"))
    told = {c.name: c for c in found(tmp_path, objects.LOOSE, f"-L{tmp_path}", "-lbrings")}
    assert told["undefined symbols"].ok
    assert "it needs libbrings.so" in told["undefined symbols"].seen
