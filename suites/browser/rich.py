"""A run whose page has every part and every outcome: a scaling curve, a histogram, a canary, a
channel that went elsewhere, a role that was killed, and the run of the reports' unit tests.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from harness.evidence import (
    Entry,
    ExchangePlanned,
    Note,
    RoleExited,
    RunEnded,
    RunStarted,
    TestFinished,
    TestsPlanned,
)
from harness.plan import MIB, Fault
from harness.verdict import cause, headline, judge
from suites.unit.report.run import joined, run
from suites.unit.verdict.clean import added, changed, clean, edited, entries_of, sockets_changed

ITERATIONS = 20  # enough for a histogram
SCALING = "suites/hardware/test_scaling.py::test_throughput_grows_with_channels[{}]"
MOVED = "suites/faults/planted.py::test_fault[swap_nics]"
STOPPED = "suites/hardware/test_soak.py::test_clean_exchanges_raise_no_alarm"


def rich() -> list[Entry]:
    parts = {SCALING.format(n): _transfer(n) for n in (1, 2, 4)} | {
        MOVED: _moved(),
        STOPPED: _died(),
    }
    began = RunStarted(
        tier="testbed",
        inventory={"nodes": [_node("alpha"), _node("beta")]},
        options={"memory": "host"},
        versions={},
        command=("pytest", "-m", "hardware", "--hil-soak=3"),
    )
    planned = TestsPlanned(tests=dict.fromkeys(parts, "suites/hardware/test_scaling.py:23"))
    first = entries_of([(0.0, began), (0.1, planned)], exchange="")
    told = [_with_verdicts(test, entries) for test, entries in parts.items()]
    last = entries_of([(0.0, RunEnded(exit_code=1))], exchange="")
    return joined([first, *told, run()[1:-1], last])


def _node(name: str) -> dict[str, object]:
    return {"name": name, "nics": [{"name": f"eth{n}", "rate_gbit_s": 1.0} for n in range(1, 5)]}


def _transfer(channels: int) -> list[Entry]:
    return clean(
        f"scale-{channels}",
        SCALING.format(channels),
        channels=channels,
        size_bytes=channels * MIB,
        iterations=ITERATIONS,
    )


def _moved() -> list[Entry]:
    """Planted on purpose, and caught."""
    entries = clean("main-8", MOVED)
    entries = sockets_changed(entries, "client", 2, nic="eth1", bound_device="eth1")
    faults = [asdict(Fault(kind="swap_nics"))]
    return edited(
        entries, ExchangePlanned, lambda one: replace(one, plan={**one.plan, "faults": faults})
    )


def _died() -> list[Entry]:
    said = "Traceback (most recent call last):\n  ...\nConnectionResetError: [Errno 104] reset"
    entries = changed(clean("main-9", STOPPED), RoleExited, stderr_tail=said)
    entries = changed(entries, RoleExited, where={"role": "client"}, code=-9, reason="killed")
    return added(entries, Note(text="stopping after its peer", node="alpha", role="server"), 1.0)


def _with_verdicts(test: str, entries: list[Entry]) -> list[Entry]:
    judged = judge(entries)
    first = cause(judged)
    detail = "\n".join((headline(first), *(f"  {line}" for line in first.evidence)))
    red = first.outcome != "PASS"
    end = TestFinished(
        test=test,
        outcome=first.outcome,
        duration_s=2.0,
        klass=first.klass,
        message=headline(first) if red else "",
        detail=detail if red else "",
    )
    last = entries[-1]
    verdicts = [replace(last, record=one) for one in judged]
    return [*entries, *verdicts, replace(last, exchange="", record=end)]
