"""Puts wheels, programs and the project into one zip that Python runs.

`manifest.json` has the SHA-256 of every part and says for which machine they are. The file appears
whole or not at all, and never larger than is easily carried.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.bundle import programs, wheels
from harness.errors import BundleError

MIB = 1 << 20
LIMIT_BYTES = 60 * MIB
CODE = Path(__file__).parents[2]  # the folder that holds the package
# Of a checkout: what runs, what describes it, and what its tests read.
FILES = ("LICENSE", "README.md", "conftest.py", "pyproject.toml", "tox.ini")
FOLDERS = ("docs", "fixtures", "harness", "node_ips", "suites")
PACKED = ".whl"  # a zip already


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A bundle, and what is in it."""

    file: Path
    size_bytes: int
    wheels: tuple[str, ...]
    programs: tuple[str, ...]


def name_for(python: str) -> str:
    return f"tcpx-harness-{__version__}-py{python}-{platform.machine()}.pyz"


def make(file: Path, python: str, *, tests: bool = False, limit_bytes: int = LIMIT_BYTES) -> Made:
    """Make the bundle for a machine like this one with that version of Python."""
    if not (CODE / "pyproject.toml").is_file():
        raise BundleError(f"{CODE} is no checkout", fix="Run it in a checkout of the project")
    wanted = wheels.requirements(CODE, tests=tests)
    with tempfile.TemporaryDirectory(prefix="bundle-") as name:
        parts = Path(name)
        for room in ("wheels", "programs"):
            (parts / room).mkdir()
        wheels.download(wanted, python, parts / "wheels")
        brought = programs.collect(parts / "programs")
        manifest = {
            "python": python,
            "machine": platform.machine(),
            "requirements": wanted,
            "shared": wheels.shared(wanted),
            "programs": brought,
            "version": __version__,
            "entry_points": wheels.entry_points(CODE),
        }
        size_bytes = pack(file, manifest, dict(_parts(parts)), limit_bytes)
        found = tuple(sorted(path.name for path in (parts / "wheels").iterdir()))
    return Made(file=file, size_bytes=size_bytes, wheels=found, programs=brought)


def pack(
    file: Path,
    manifest: Mapping[str, object],
    parts: dict[str, Path],
    limit_bytes: int = LIMIT_BYTES,
) -> int:
    """Write the zip with its manifest; its size. Larger than the limit, it is not kept."""
    fresh = file.with_name(f".{file.name}.part")
    digests = {place: _digest(path) for place, path in parts.items()}
    try:
        with zipfile.ZipFile(fresh, "w") as bundle:
            bundle.write(Path(__file__).with_name("install.py"), "__main__.py")
            bundle.writestr("manifest.json", json.dumps({**manifest, "parts": digests}, indent=1))
            for place, path in parts.items():
                plain = place.endswith(PACKED)
                bundle.write(path, place, zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED)
            _check_size(bundle, fresh.stat().st_size, limit_bytes)
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
    return file.stat().st_size


def _check_size(bundle: zipfile.ZipFile, size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        largest = sorted(bundle.infolist(), key=lambda info: -info.compress_size)[:3]
        named = ", ".join(f"{i.filename} {i.compress_size / MIB:.1f} MiB" for i in largest)
        raise BundleError(
            f"the bundle is {size_bytes / MIB:.1f} MiB; the largest parts are {named}",
            expected=f"at most {limit_bytes / MIB:g} MiB",
        )


def _parts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Place in the bundle and path here: what was gathered in `folder`, and the project."""
    for room in sorted(folder.iterdir()):
        yield from ((f"{room.name}/{path.name}", path) for path in sorted(room.iterdir()))
    below = [path for name in FOLDERS for path in sorted((CODE / name).rglob("*"))]
    for path in [*(CODE / name for name in FILES), *below]:
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"project/{path.relative_to(CODE)}", path


def _digest(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
