"""A page that can be followed word for word: what it has one write, change and run.

The rule that its writer keeps: a block below a line that ends with a path and a colon is that file,
or, fenced as `diff`, what to change in it; a block fenced as `sh` is run and must succeed, with no
test skipped. Lines of a diff that are not added must be in the file, together and once; there are
no line numbers.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PLACE = re.compile(r"`([\w./-]+)`:$")
RUN_S = 120.0


@dataclass(frozen=True)
class Step:
    """One fenced block. `kind` is its word, `place` the file that it is for."""

    kind: str
    place: str
    lines: tuple[str, ...]


def steps(page: str) -> Iterator[Step]:
    """The blocks that mean something to whoever follows the page."""
    kind, place, inside, lines = "", "", False, list[str]()
    for line in page.splitlines():
        if line.startswith("```"):
            if inside and (place or kind == "sh"):
                yield Step(kind, "" if kind == "sh" else place, tuple(lines))
            inside, kind, lines = not inside, line[3:], []
            place = place if inside else ""
        elif inside:
            lines.append(line)
        elif line.strip():
            found = PLACE.search(line)
            place = found[1] if found else ""


def made(page: str) -> set[str]:
    """The files that following it creates."""
    return {step.place for step in steps(page) if step.place and step.kind != "diff"}


def follow(page: str, folder: Path, environ: Mapping[str, str]) -> None:
    """Do in `folder` what the page says, in its order; AssertionError where it cannot be done."""
    for step in steps(page):
        if step.kind == "sh":
            _run("\n".join(step.lines), folder, environ)
        elif step.kind == "diff":
            _change(folder / step.place, step.lines)
        else:
            assert not (folder / step.place).exists(), f"{step.place} is there already"
            (folder / step.place).write_text("\n".join((*step.lines, "")))


def _run(script: str, folder: Path, environ: Mapping[str, str]) -> None:
    ran = subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert ran.returncode == 0, f"{script}\nexit status {ran.returncode}\n{ran.stdout}"
    assert " skipped" not in ran.stdout, f"{script}\nshows nothing:\n{ran.stdout}"


def _change(file: Path, lines: tuple[str, ...]) -> None:
    old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    text = file.read_text()
    assert text.count(old) == 1, f"{file.name} has this {text.count(old)} times:\n{old}"
    file.write_text(text.replace(old, new))
