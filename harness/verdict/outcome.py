"""The five outcomes, in order, and which class of finding has which.

FAIL blames the product, ERROR the bench, INCONCLUSIVE nobody: the evidence does not reach. A check
names a class and gets the outcome from here, so that one class never means two things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum

from harness.errors import HarnessError, TransportError


class Outcome(IntEnum):
    """Anything above PASS makes a run red."""

    SKIP = 0
    PASS = 1
    INCONCLUSIVE = 2
    FAIL = 3
    ERROR = 4


def outcome_named(word: str) -> Outcome:
    """The outcome of a record's word; a word that is no outcome is nobody's PASS."""
    return Outcome.__members__.get(word, Outcome.ERROR)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The greatest of `outcomes`. Of none at all it is ERROR: no evidence is never PASS."""
    return max(outcomes, default=Outcome.ERROR)


def _bench(root: type[HarnessError]) -> Iterator[str]:
    """The classes of all errors that are not the transport's."""
    if not issubclass(root, TransportError):
        yield root.klass
        for cls in root.__subclasses__():
            yield from _bench(cls)


# A GPU that was slow, shared, waits for repair or had to send again is neither's fault here: what
# it did is known, how fast it could have been is not.
GPU_OPEN = frozenset({"GPU_THROTTLED", "GPU_FOREIGN", "GPU_REMAP", "GPU_REPLAY"})
# Nights that cannot be compared, or that the next one has to confirm.
NIGHT_OPEN = frozenset({"NO_BASELINE", "FEW_SAMPLES", "SUSPECT"})
UNKNOWN = frozenset({"NO_EVIDENCE", "UNVERIFIED", "COUNTER", "FOREIGN_LOAD", "NOTHING_CHECKED"})
OPEN = UNKNOWN | GPU_OPEN | NIGHT_OPEN
OWN = frozenset({"INTERRUPTED", "NOT_RUN", "UNSETTLED", "ROLE_STOPPED", "ROLE_BUG", "EXIT_CODE"})
BENCH = frozenset(_bench(HarnessError)) | OWN


def outcome_of(klass: str) -> Outcome:
    """The outcome of a finding above PASS; a class we do not know is the product's own word."""
    if klass in OPEN:
        return Outcome.INCONCLUSIVE
    return Outcome.ERROR if klass in BENCH else Outcome.FAIL
