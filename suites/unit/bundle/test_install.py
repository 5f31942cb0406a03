"""A bundle refuses what will not do, by name and before it writes; a real one is installed by
selftest/test_bundle.py.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bundle.make import pack

HERE = {"python": "{}.{}".format(*sys.version_info), "machine": platform.machine()}
PROJECT = {"version": "1", "entry_points": {}}
WHEEL, SSHD = "wheels/pip-1-py3-none-any.whl", "programs/sshd"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Of two parts that nothing could be installed from: whatever passes ends at pip."""
    parts = {WHEEL: b"wheel" * 100, SSHD: b"program" * 100}
    for number, data in enumerate(parts.values()):
        (tmp_path / str(number)).write_bytes(data)
    places = {place: tmp_path / str(number) for number, place in enumerate(parts)}
    file = tmp_path / "bundle.pyz"
    pack(file, {**HERE, "requirements": [], "shared": [], "programs": ["sshd"], **PROJECT}, places)
    return file


def refusal(bundle: Path, *words: str | Path) -> str:
    """What it says when it installs nothing."""
    folder = bundle.with_name("folder")
    command = [sys.executable, bundle, *(words or [folder])]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2, ran.stdout
    assert words or not folder.exists()
    return ran.stderr


def change(bundle: Path, edit: Callable[[dict[str, bytes]], object]) -> None:
    """Write the zip anew, with its own checksums right."""
    with zipfile.ZipFile(bundle) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    edit(parts)
    with zipfile.ZipFile(bundle, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)


def test_a_part_with_a_flipped_byte_is_named(bundle: Path) -> None:
    data = bytearray(bundle.read_bytes())
    data[data.index(b"wheelwheel") + 7] ^= 1
    bundle.write_bytes(data)
    assert refusal(bundle) == f"BUNDLE: {WHEEL} is damaged. Copy the bundle again\n"


def test_a_part_that_cannot_be_unpacked_is_named(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as whole:
        start = whole.getinfo(SSHD).header_offset + len("PK..") + 26 + len(SSHD)
    data = bytearray(bundle.read_bytes())
    data[start : start + 4] = b"\xff" * 4
    bundle.write_bytes(data)
    assert f"{SSHD} is damaged" in refusal(bundle)


def test_every_exchanged_missing_and_foreign_part_is_in_one_sentence(bundle: Path) -> None:
    def edit(parts: dict[str, bytes]) -> None:
        parts[SSHD] += b"!"
        parts["programs/else"] = parts.pop(WHEEL)

    change(bundle, edit)
    assert refusal(bundle) == (
        f"BUNDLE: {WHEEL} is missing; programs/else is not in the manifest; {SSHD} is damaged. "
        "Copy the bundle again\n"
    )


@pytest.mark.parametrize(("key", "other"), [("python", "3.99"), ("machine", "vax")])
def test_another_machine_or_python_is_refused(bundle: Path, key: str, other: str) -> None:
    def edit(parts: dict[str, bytes]) -> None:
        text = parts["manifest.json"].decode()
        parts["manifest.json"] = text.replace(f'"{HERE[key]}"', f'"{other}"').encode()

    change(bundle, edit)
    expected = "expected Python {python} on {machine}".format(**{**HERE, key: other})
    assert expected in refusal(bundle)


def test_a_folder_with_something_in_it_is_refused(bundle: Path) -> None:
    assert "expected a new or an empty folder" in refusal(bundle, bundle.parent)
    assert bundle.exists()


def test_without_a_folder_it_says_how_it_is_called(bundle: Path) -> None:
    assert refusal(bundle, "--help").startswith("python3 BUNDLE FOLDER")


def test_what_a_failed_installation_leaves_is_removed(bundle: Path) -> None:
    assert "pip cannot install the wheels" in refusal(bundle)
