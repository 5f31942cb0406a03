"""The commands that pages and files of CI systems tell people, or machines, to run.

Pages: indented blocks, fences and spans. YAML: what stands under `run` and `script`. A Jenkinsfile:
what its `sh` steps are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
STEP = re.compile(r"\bsh '([^'\n]+)'")
# What separates commands on a line of a shell.
BETWEEN = re.compile(r"&&|;|\bthen\b|\belse\b|^if\b")
# How the same command is started with other rights or from another place.
BEFORE = re.compile(r'^(?:sudo -E |\$as )?(?:env "PATH=[^"]+" )?(?:\.venv/bin/)?')
SCRIPTS = {"run", "script", "before_script", "after_script"}


def commands(text: str) -> Iterator[str]:
    """Of a page, a command each, without its comment; not of blocks that are run (recipe.py)."""
    fenced = is_run = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
            is_run = fenced and line == "```sh"
        elif is_run:
            continue
        elif fenced or line.startswith("    "):
            yield from pieces(line)
        else:
            for span in SPAN.findall(line):
                yield from pieces(span)


def scripted(text: str) -> Iterator[str]:
    """Of a YAML file."""
    for script in _scripts(yaml.safe_load(text)):
        for line in script.splitlines():
            yield from pieces(line)


def steps(text: str) -> Iterator[str]:
    """Of a Jenkinsfile."""
    for step in STEP.findall(text):
        yield from pieces(step)


def pieces(line: str) -> Iterator[str]:
    for piece in BETWEEN.split(line.partition(" #")[0]):
        yield BEFORE.sub("", piece.strip()).strip() + " "


def of(file: Path) -> Iterator[str]:
    read = {".md": commands, ".yml": scripted}.get(file.suffix, steps)
    return read(file.read_text())


def _scripts(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for name, value in body.items():
            if name in SCRIPTS:
                yield "\n".join([value] if isinstance(value, str) else value)
            else:
                yield from _scripts(value)
    elif isinstance(body, list):
        for value in body:
            yield from _scripts(value)
