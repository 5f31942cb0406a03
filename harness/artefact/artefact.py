"""What a shared object's file says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Undefined:
    """A symbol that somebody else must bring; '' where no version or library is named."""

    name: str
    version: str = ""
    library: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """`exports` maps a name to its size; `net_names` a plugin's table to what it calls itself."""

    path: str
    kind: str  # ET_DYN for a shared object
    machine: str  # as uname -m says it
    needed: tuple[str, ...] = ()
    exports: Mapping[str, int] = field(default_factory=dict)
    undefined: tuple[Undefined, ...] = ()
    net_names: Mapping[str, str] = field(default_factory=dict)
    textrel: bool = False
    reads_chunk_size: bool = False
