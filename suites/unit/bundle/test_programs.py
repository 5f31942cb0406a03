from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.bundle import programs
from harness.errors import BundleError

LDD = """\
\tlinux-vdso.so.1 (0x00007ffd1d5f2000)
\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f1e4b0c0000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f1e4b4a7000)
"""


def test_what_ldd_tells_is_understood() -> None:
    assert list(programs.parsed(LDD, "sshd")) == [
        ("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"),
        ("loader", "/lib64/ld-linux-x86-64.so.2"),
    ]


def test_what_the_c_library_opens_by_itself_comes_along(tmp_path: Path) -> None:
    (tmp_path / "libgcc_s.so.1").touch()
    found = programs.parsed(f"\tlibc.so.6 => {tmp_path}/libc.so.6 (0x00007f1e4b0c0000)", "sshd")
    assert [name for name, _ in found] == ["libc.so.6", "libgcc_s.so.1"]


def test_a_library_that_is_missing_here_is_named() -> None:
    with pytest.raises(BundleError, match=r"sshd cannot run here: libz\.so\.1 => not found"):
        list(programs.parsed("\tlibz.so.1 => not found\n", "sshd"))


def test_a_script_in_a_programs_place_is_named(tmp_path: Path) -> None:
    script = tmp_path / "sshd"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    with pytest.raises(BundleError, match="ldd cannot tell what "):
        list(programs.libraries(str(script)))


def test_a_program_that_is_needed_and_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "ADMIN_PATH", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match="no sshd and no ssh and no ssh-keygen to bring"):
        programs.collect(tmp_path)


def test_an_sshd_of_several_programs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "sshd-session"
    part.touch()
    monkeypatch.setattr(programs, "SPLIT_SSHD", (str(part),))
    with pytest.raises(BundleError, match=f"sshd needs {part} at that very place"):
        programs.collect(tmp_path)


def test_a_program_runs_with_nothing_but_what_was_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "NEEDED", ("sh",))
    monkeypatch.setattr(programs, "OPTIONAL", ("no-such-program",))
    monkeypatch.setattr(programs, "SPLIT_SSHD", ())
    assert programs.collect(tmp_path) == ("sh",)
    (tmp_path / "loader").chmod(0o755)
    words = [tmp_path / "loader", "--inhibit-cache", "--library-path", tmp_path, tmp_path / "sh"]
    show = "while read -r _ _ _ _ _ file; do echo $file; done </proc/self/maps"
    ran = subprocess.run([*words, "-c", show], capture_output=True, text=True, check=True)
    files = {line for line in ran.stdout.split() if line.startswith("/")}
    assert {Path(file).parent for file in files} == {tmp_path}
    assert f"{tmp_path}/libc.so.6" in files
