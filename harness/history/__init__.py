"""What earlier nights measured, by testbed."""

from harness.history.fingerprint import Fingerprint, differences, fingerprint
from harness.history.run import Run, taken
from harness.history.series import Key, Night, Series
from harness.history.store import History, Kept, Tested
from harness.history.tonight import tonight

__all__ = [
    "Fingerprint",
    "History",
    "Kept",
    "Key",
    "Night",
    "Run",
    "Series",
    "Tested",
    "differences",
    "fingerprint",
    "taken",
    "tonight",
]
