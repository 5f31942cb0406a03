"""python3 BUNDLE FOLDER: installs the bundle into a new folder. Nothing is asked of a network.

It is the bundle's __main__ and runs alone, on the standard library of whatever Python 3 starts it.
Every part is compared with the manifest before anything is written. Then FOLDER gets the project
and a virtual environment, .venv, that also sees what this Python sees: its cupy, and its numpy
where that will do. The programs lie in .venv too, each behind a script of its name in .venv/bin.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import site
import subprocess
import sys
import venv
import zipfile
import zlib
from pathlib import Path
from typing import Any

OWN = {"__main__.py", "manifest.json"}
ENVIRONMENT = ".venv"
# sshd starts itself again by its own name, which must lead back to the script.
SCRIPT = """\
#!/bin/sh
exec {home}/loader --inhibit-cache --library-path {home} --argv0 {script} {home}/{name} "$@"
"""
METADATA = "Metadata-Version: 2.1\nName: tcpx-harness\nVersion: {version}\n"
PIP_S = 300.0


class Refused(Exception):
    """The bundle, the machine or the folder will not do; the text is for a person."""


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0].startswith("-"):
        print((__doc__ or "").partition("\n")[0], file=sys.stderr)
        return 2
    folder = Path(argv[0]).absolute()
    try:
        with zipfile.ZipFile(os.path.dirname(os.path.abspath(__file__))) as bundle:
            manifest = json.loads(bundle.read("manifest.json"))
            check_machine(manifest)
            check_parts(bundle, manifest["parts"])
            check_folder(folder)
            install(bundle, manifest, folder)
    except (Refused, OSError, zipfile.BadZipFile) as error:
        print(f"BUNDLE: {error}", file=sys.stderr)
        return 2
    print(
        f"Installed. Next: cd {folder} && . {ENVIRONMENT}/bin/activate && python -m harness doctor"
    )
    return 0


def check_machine(manifest: dict[str, Any]) -> None:
    """Wheels and programs are of one kind of machine and one version of Python."""
    seen = ("{}.{}".format(*sys.version_info), platform.machine())
    made_for = (manifest["python"], manifest["machine"])
    if seen != made_for:
        raise Refused(
            "this is Python {} on {}; expected Python {} on {}. Start it with that Python, or "
            "make another: python -m harness bundle --python {}".format(*seen, *made_for, seen[0])
        )


def check_parts(bundle: zipfile.ZipFile, stated: dict[str, Any]) -> None:
    """Every part is there as it was made, and nothing else is."""
    there = set(bundle.namelist()) - OWN
    problems = [f"{name} is missing" for name in sorted(set(stated) - there)]
    problems += [f"{name} is not in the manifest" for name in sorted(there - set(stated))]
    problems += [f"{name} is damaged" for name in sorted(there) if _damaged(bundle, name, stated)]
    if problems:
        raise Refused(f"{'; '.join(problems)}. Copy the bundle again")


def _damaged(bundle: zipfile.ZipFile, name: str, stated: dict[str, Any]) -> bool:
    try:
        return name in stated and hashlib.sha256(bundle.read(name)).hexdigest() != stated[name]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError):
        return True


def check_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already; expected a new or an empty folder")


def install(bundle: zipfile.ZipFile, manifest: dict[str, Any], folder: Path) -> None:
    """All or nothing: what a failure leaves is removed."""
    home = folder / ENVIRONMENT
    try:
        venv.EnvBuilder(system_site_packages=True, symlinks=True).create(home)
        unpack(bundle, "project/", folder)
        unpack(bundle, "wheels/", home / "wheels")
        unpack(bundle, "programs/", home / "programs")
        show_the_way(home, folder, manifest)
        install_wheels(home, manifest)
        for name in manifest["programs"]:
            place_script(home, name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def unpack(bundle: zipfile.ZipFile, below: str, folder: Path) -> None:
    for name in bundle.namelist():
        if name.startswith(below):
            target = folder / name[len(below) :]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(bundle.read(name))


def show_the_way(home: Path, folder: Path, manifest: dict[str, Any]) -> None:
    """To the project, and to the packages of the environment that this Python may itself be in:
    a new environment sees only those of the Python behind it.
    """
    (own,) = home.glob("lib/python*/site-packages")
    ours = site.getsitepackages() if sys.prefix != sys.base_prefix else []
    (own / "tcpx-harness.pth").write_text("".join(f"{path}\n" for path in [folder, *ours]))
    # As an editable installation would: pytest knows our options wherever it is started.
    about = own / "tcpx_harness-{}.dist-info".format(manifest["version"])
    about.mkdir()
    (about / "METADATA").write_text(METADATA.format(**manifest))
    lines = [f"[{group}]\n{text}" for group, text in manifest["entry_points"].items()]
    (about / "entry_points.txt").write_text("".join(lines))


def install_wheels(home: Path, manifest: dict[str, Any]) -> None:
    """Those that are shared only where the machine lacks them, all others in any case, but pip."""
    found = sorted((home / "wheels").iterdir())
    apart = {"pip", *(re.split(r"[^\w.-]", text)[0] for text in manifest["shared"])}
    others = [str(path) for path in found if path.name.partition("-")[0] not in apart]
    pip(home, "install", f"--find-links={home / 'wheels'}", *manifest["shared"])
    pip(home, "install", "--no-deps", "--ignore-installed", *others)
    pip(home, "install", "--dry-run", *manifest["requirements"])  # names what is missing
    shutil.rmtree(home / "wheels")


def pip(home: Path, *words: str) -> None:
    """pip itself is run from its wheel: this Python need not have one."""
    (wheel,) = (home / "wheels").glob("pip-*.whl")
    command = [str(home / "bin" / "python"), str(wheel / "pip"), "--quiet", "--no-cache-dir"]
    command += ["--disable-pip-version-check", *words[:1], "--no-index", *words[1:]]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            timeout=PIP_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"pip was not done in {PIP_S:g} s") from error
    if done.returncode:
        raise Refused(f"pip cannot install the wheels:\n{done.stdout.strip()}")


def place_script(home: Path, name: str) -> None:
    script, programs = home / "bin" / name, home / "programs"
    for path in (programs / "loader", programs / name):
        path.chmod(0o755)
    places = {"home": shlex.quote(str(programs)), "script": shlex.quote(str(script))}
    script.write_text(SCRIPT.format(name=name, **places))
    script.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
