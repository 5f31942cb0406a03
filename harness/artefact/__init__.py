"""A plugin's or library's file, examined without loading it."""

from harness.artefact.artefact import Artefact, Undefined
from harness.artefact.check import Check, Target, checks
from harness.artefact.elf import PIP, is_available, read

__all__ = ["PIP", "Artefact", "Check", "Target", "Undefined", "checks", "is_available", "read"]
