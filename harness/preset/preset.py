"""A preset: the environment that one published script gives the transport, with its source.

The files in `sets/` are checked when they are loaded: unknown keys, values that are no texts, and
names that nobody has told us about are refused, all in one error. A value may hold `$NAME` of the
environment of whoever starts the run, such as a batch system's job number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from string import Template
from typing import Any

import tomllib

from harness.errors import PresetError
from harness.preset.name import names

SETS = "sets"
SUFFIX = ".toml"
KEYS = {"title", "source", "cpus", "environment", "left_open"}
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
OWN_BUSINESS = {"LD_LIBRARY_PATH"}  # of the loader: no transport reads it, and all depend on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """`left_open` are names that the script leaves to its caller, each with what it says of it."""

    name: str
    title: str
    source: str
    environment: Mapping[str, str]
    left_open: Mapping[str, str] = field(default_factory=dict)
    cpus: str = ""  # those that the script confines its program to

    def resolved(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment with `$NAME` filled in from `environ`."""
        values = {name: Template(value) for name, value in self.environment.items()}
        wanted = {word for value in values.values() for word in value.get_identifiers()}
        if missing := sorted(wanted - set(environ)):
            raise PresetError(
                f"the preset {self.name!r} needs {', '.join(missing)}",
                expected=f"{'it' if len(missing) == 1 else 'them'} in the environment",
                where=self.name,
                fix=f"Run: export {missing[0]}=..., or choose another of {', '.join(presets())}",
            )
        return {name: value.substitute(environ) for name, value in values.items()}


def presets() -> tuple[str, ...]:
    """The names of all presets."""
    entries = files(__package__).joinpath(SETS).iterdir()
    return tuple(sorted(e.name.removesuffix(SUFFIX) for e in entries if e.name.endswith(SUFFIX)))


def load(name: str) -> Preset:
    """The preset of that name; PresetError names the ones there are."""
    if name not in presets():
        raise PresetError(f"there is no preset {name!r}", expected=f"one of {', '.join(presets())}")
    text = files(__package__).joinpath(SETS, name + SUFFIX).read_text(encoding="utf-8")
    return read(name, text)


def read(name: str, text: str) -> Preset:
    """The preset that `text` states."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PresetError(str(error), where=name, expected="TOML") from error
    if problems := list(_problems(body)):
        raise PresetError("; ".join(problems), where=name)
    return Preset(name=name, **body)


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(set(body) - KEYS):
        yield f"unknown key {key!r}, expected one of {', '.join(sorted(KEYS))}"
    for key in ("title", "source"):
        if not isinstance(body.get(key), str) or not body[key]:
            yield f"{key} is missing, expected text in quotes"
    if not isinstance(body.get("environment"), dict) or not body["environment"]:
        yield "environment is missing, expected a table of variables"
        return
    for variable, value in body["environment"].items():
        yield from _problems_of(variable, value)
    for variable in body.get("left_open", {}):
        if variable in body["environment"]:
            yield f"{variable} is left open and stated, expected one of the two"


def _problems_of(variable: str, value: object) -> Iterator[str]:
    if not VARIABLE.fullmatch(variable):
        yield f"{variable!r} is no variable's name, expected capitals, digits and _"
    elif variable not in names() and variable not in OWN_BUSINESS:
        yield f"{variable} is unknown, expected a name of names.toml: who reads it?"
    if not isinstance(value, str):
        yield f'{variable} is {value!r}, expected text in quotes, "{value}"'
    elif not Template(value).is_valid():
        yield f"{variable} is {value!r}, expected $$ for a dollar"
