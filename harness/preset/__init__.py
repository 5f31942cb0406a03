"""Environment sets for the transport: where each is from, what it says, and who reads it."""

from harness.preset.debug import debug_switches
from harness.preset.difference import Difference, differences
from harness.preset.name import Name, names
from harness.preset.preset import Preset, load, presets

__all__ = [
    "Difference",
    "Name",
    "Preset",
    "debug_switches",
    "differences",
    "load",
    "names",
    "presets",
]
