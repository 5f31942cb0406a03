"""The lines that UCCL's programs print, of every age, as records.

Traps that are undone here: what they print as GB/s is counted in GiB; the later runner's total time
covers all iterations, the earlier ones' average is of one; iterations count from 0 in the earlier
and from 1 in the later; sizes in "MB" are whole MiB and thus useless (512 KiB is "0 MB"); the
mapping's arrow is U+2192 or "->"; both outputs may be in one line, so patterns are searched for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from harness.evidence import ChannelMapped, Observed, Record
from harness.programs.program import GIB_GB, said

NUMBER = r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
MAPPED = re.compile(
    r"\[ChannelManager\] [Cc]hannel (\d+) (?:\u2192|->) (?:netDev (\d+) \()?([\w.-]*\w)([^)]*)"
)
SCORE = re.compile(r"\bscore=(-?\d+)")
HANDLES = re.compile(r"\[Bootstrap\] Successfully (sent|received) (\d+) handles")
BEGUN = re.compile(r"\[PERF\] Iteration (\d+): total bytes=(\d+), chunk_bytes=(\d+)")
TIMED = re.compile(rf"\[PERF\] Iter (\d+) time={NUMBER}ms")
AVERAGE = re.compile(rf"\[PERF\] Avg(?: \((\d+) iter\))?: {NUMBER} ms, BW: {NUMBER} GB/s")
STEADY = re.compile(rf"\[STEADY-STATE\] Avg time: {NUMBER} ms, BW: {NUMBER} GB/s")
COMPLETE = re.compile(r"\[PERF\]\s+Iteration (\d+) complete \((\d+)/(\d+) chunks\)")
TOTAL = re.compile(rf"\bTotal time:\s+{NUMBER} ms")
BANDWIDTH = re.compile(rf"\bBandwidth:\s+{NUMBER} GB/s")
DONE = re.compile(
    rf"\[(?:SERVER|CLIENT)\] Done\. time={NUMBER} ms, size={NUMBER} GB, bw={NUMBER} GB/s"
)
ABORTED = re.compile(r"\[ERROR\] Iter (\d+) aborted after")
ERROR = re.compile(r"\[ERROR\]|\[FAIL\]|\[DEBUG\] ERROR:")

Found = re.Match[str]
Make = Callable[[Found, str, int], Iterable[Record]]


class UcclLines:
    """Reads the lines of one role. `success` are words that prove that a process succeeded.

    `channel` makes the exchange's channel of a process's own.
    """

    def __init__(
        self, success: str = "", channel: Callable[[int, int], int] = lambda process, own: own
    ) -> None:
        self._success = success
        self._channel = channel
        self._kinds: tuple[tuple[re.Pattern[str], Make], ...] = (
            (MAPPED, self._mapped),
            (HANDLES, _handles),
            (BEGUN, _begun),
            (TIMED, _timed),
            (AVERAGE, _average),
            (STEADY, _steady),
            (COMPLETE, _complete),
            (TOTAL, _total),
            (BANDWIDTH, _bandwidth),
            (DONE, _done),
            (ABORTED, _aborted),
            (ERROR, _error),
        )

    def heard(self, text: str, process: int) -> list[Record]:
        records = [
            record
            for pattern, make in self._kinds
            for found in pattern.finditer(text)
            for record in make(found, text, process)
        ]
        if self._success and self._success in text:
            records.append(said("success", 1, text, process=process))
        return records

    def ended(self, process: int) -> list[Record]:
        return []

    def file(self, name: str, text: str) -> list[Record]:
        return []

    def _mapped(self, found: Found, text: str, process: int) -> Iterable[Record]:
        channel = self._channel(process, int(found[1]))
        yield ChannelMapped(
            node="",
            role="",
            channel=channel,
            device=int(found[2] or -1),
            nic=found[3],
            handle_address="",  # the line does not tell it
        )
        if score := SCORE.search(found[4]):
            yield said("nic_score", int(score[1]), text, process=process, channel=channel)


def _handles(found: Found, text: str, process: int) -> Iterable[Record]:
    yield Observed(
        node="", role="", subject=f"handles_{found[1]}", value=int(found[2]), detail=text.strip()
    )


def _begun(found: Found, text: str, process: int) -> Iterable[Record]:
    iteration = int(found[1])
    yield said("iteration_bytes", int(found[2]), text, process=process, iteration=iteration)
    yield said("chunk_bytes", int(found[3]), text, process=process, iteration=iteration)


def _timed(found: Found, text: str, process: int) -> Iterable[Record]:
    seconds = float(found[2]) / 1e3
    yield said("iteration_s", seconds, text, process=process, iteration=int(found[1]))


def _average(found: Found, text: str, process: int) -> Iterable[Record]:
    if found[1]:
        yield said("iterations", int(found[1]), text, process=process)
    yield said("average_s", float(found[2]) / 1e3, text, process=process)
    yield said("rate_gb_s", float(found[3]) * GIB_GB, text, process=process)


def _steady(found: Found, text: str, process: int) -> Iterable[Record]:
    """The script's own average, without its warm-up: it comes last and counts."""
    yield said("average_s", float(found[1]) / 1e3, text, process=process)
    yield said("rate_gb_s", float(found[2]) * GIB_GB, text, process=process)


def _complete(found: Found, text: str, process: int) -> Iterable[Record]:
    iteration = int(found[1]) - 1
    yield said("iteration_chunks", int(found[2]), text, process=process, iteration=iteration)
    yield said("iteration_chunks_due", int(found[3]), text, process=process, iteration=iteration)


def _total(found: Found, text: str, process: int) -> Iterable[Record]:
    yield said("total_s", float(found[1]) / 1e3, text, process=process)


def _bandwidth(found: Found, text: str, process: int) -> Iterable[Record]:
    yield said("rate_gb_s", float(found[1]) * GIB_GB, text, process=process)


def _done(found: Found, text: str, process: int) -> Iterable[Record]:
    yield said("total_s", float(found[1]) / 1e3, text, process=process)
    yield said("rate_gb_s", float(found[3]) * GIB_GB, text, process=process)


def _aborted(found: Found, text: str, process: int) -> Iterable[Record]:
    yield said("aborted", 1, text, process=process, iteration=int(found[1]))


def _error(found: Found, text: str, process: int) -> Iterable[Record]:
    yield said("error", 1, text, process=process)
