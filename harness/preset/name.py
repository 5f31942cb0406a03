"""Which program reads which variable. A name that nobody reads does nothing, however often it is
set; such names are common in scripts, and worth seeing."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

import tomllib

PLUGIN = "plugin"
FILE = "names.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A variable. `read_by` is empty when it is known that nobody reads it."""

    name: str
    read_by: tuple[str, ...] = ()
    default: str = ""
    meaning: str = ""

    @property
    def by_plugin(self) -> bool:
        return PLUGIN in self.read_by

    @property
    def readers(self) -> str:
        return ", ".join(self.read_by) or "nobody"


@functools.cache
def names() -> Mapping[str, Name]:
    """Every name that is known, by name."""
    body = tomllib.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            name: Name(
                name=name,
                read_by=tuple(about["read_by"]),
                default=about.get("default", ""),
                meaning=about["meaning"],
            )
            for name, about in body.items()
        }
    )
