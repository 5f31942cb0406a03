"""Which series changed: tonight against the last good nights, and on which night of the past."""

from harness.regression.beside import beside
from harness.regression.changes import Change, changes
from harness.regression.gate import gate, told
from harness.regression.known import Acknowledged, Adopted, Known
from harness.regression.rules import RULES, Rules

__all__ = [
    "RULES",
    "Acknowledged",
    "Adopted",
    "Change",
    "Known",
    "Rules",
    "beside",
    "changes",
    "gate",
    "told",
]
