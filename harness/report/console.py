"""Lines for people: an exchange with its channels and claims, a mesh with its GPUs and NICs, and
the run as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness.evidence import Entry, Judged, PreflightEnded, RunStarted
from harness.report.case import Case
from harness.report.ending import all_cases, outcome
from harness.report.exchanges import ChannelFigures, Told, exchanges
from harness.report.mesh import GpuRow, Mesh, NicRow, Row, meshes
from harness.verdict import Outcome, counted, headline, worst

JUNIT = "junit.xml"
PAGE = "index.html"
MOST_RED = 50  # more than a screenful; the report has all of them


def exchange_lines(entries: Sequence[Entry]) -> list[str]:
    """Every exchange among `entries`, see told_lines."""
    return told_lines(exchanges(entries))


def told_lines(told: Sequence[Told]) -> list[str]:
    """Of each a line a channel, then a line a claim; and before them, the tables of each mesh."""
    tables = [line for mesh in meshes(told) for line in _mesh_lines(mesh)]
    return [*tables, *(line for one in told for line in _told_lines(one))]


def _told_lines(told: Told) -> list[str]:
    return [_title(told), *_channel_lines(told), *map(_claim, told.judged)]


def _mesh_lines(mesh: Mesh) -> list[str]:
    """A row a GPU with its verdict, then a row a NIC."""
    return [_mesh_title(mesh), *map(_gpu_row, mesh.gpus), *map(_nic_row, mesh.nics)]


def _mesh_title(mesh: Mesh) -> str:
    planned, plans = mesh.told[0].seen.planned, [one.seen.plan for one in mesh.told]
    verdict = worst(Outcome[one.outcome] for told in mesh.told for one in told.judged)
    return (
        f"mesh {mesh.name}: {planned.client} to {planned.server}, {counted(len(plans), 'GPU')}, "
        f"{counted(sum(plan.channels for plan in plans), 'channel')}, {mesh.bytes:,} bytes, "
        f"{mesh.gb_s:.3f} GB/s, {counted(mesh.words, 'word')} verified: {verdict.name}"
    )


def _gpu_row(row: GpuRow) -> str:
    one = row.judged
    verdict = "PASS" if one.outcome == "PASS" else f"{one.outcome} {headline(one)}"
    return f"  gpu {row.gpus[0]:>2}  {row.nics:<14} {_figures(row)}  {verdict}"


def _nic_row(row: NicRow) -> str:
    gpus = ",".join(map(str, row.gpus))
    counter = f"counted {row.counted_bytes:,}" if row.counted_bytes >= 0 else "not counted"
    return f"  nic     {row.nics:<14} {_figures(row)}  of GPUs {gpus}, {counter}"


def _figures(row: Row) -> str:
    return f"{row.bytes:>15,} bytes {row.gb_s:>8.3f} GB/s {row.share:>6.1%} {row.words:>13,} words"


def run_lines(entries: Sequence[Entry], folder: Path) -> list[str]:
    """The largest exchange, what is red, the totals, the verdict and where the report is."""
    return [
        *_header(entries),
        *_preflight(entries),
        *largest_lines(exchanges(entries)),
        *case_lines(all_cases(entries)),
        f"verdict: {outcome(entries).name}",
        f"page: {near(folder / PAGE)}",
        f"report: {near(folder / JUNIT)}",
    ]


def case_lines(found: Sequence[Case]) -> list[str]:
    """What is red, what is flaky, and the totals."""
    red = [case for case in found if case.red]
    return [
        *(line for case in red[:MOST_RED] for line in _red_lines(case)),
        *([f"and {len(red) - MOST_RED} more in the report"] if len(red) > MOST_RED else []),
        *(line for case in found if case.flaky for line in _flaky_lines(case)),
        totals(found),
    ]


def _header(entries: Sequence[Entry]) -> list[str]:
    started = next((e for e in entries if isinstance(e.record, RunStarted)), None)
    if started is None or not isinstance(started.record, RunStarted):
        return []
    names = [node.get("name", "?") for node in started.record.inventory.get("nodes", [])]
    return [f"run {started.run}, tier {started.record.tier}, nodes {', '.join(names) or 'none'}"]


def _preflight(entries: Sequence[Entry]) -> list[str]:
    """What the nodes were compared in before anything ran."""
    ended = (e.record for e in entries if isinstance(e.record, PreflightEnded))
    return [
        f"preflight: {counted(one.checked, 'fact')} of {', '.join(one.nodes)} compared, "
        f"{len(one.unknown)} that nobody could read, {len(one.allowed)} that may differ, "
        f"{counted(len(one.problems), 'problem')}"
        for one in ended
    ]


def largest_lines(found: Sequence[Told]) -> list[str]:
    """What moved most, channel by channel or GPU by GPU: the run's best view of every NIC."""
    told = max(found, key=lambda t: t.bytes, default=None)
    if told is None or not told.bytes:
        return []
    mesh = max(meshes(found), key=lambda m: m.bytes, default=None)
    if mesh is not None and mesh.bytes >= told.bytes:
        title, *rows = _mesh_lines(mesh)
        return [f"largest {title}", f"  of {mesh.told[0].seen.planned.test}", *rows]
    return [f"largest {_title(told)}", f"  of {told.seen.planned.test}", *_channel_lines(told)]


def _title(told: Told) -> str:
    planned, plan = told.seen.planned, told.seen.plan
    verdict = worst(Outcome[one.outcome] for one in told.judged)
    return (
        f"exchange {told.seen.name}: {plan.program or plan.exercise}{_memory(told)}, "
        f"{planned.client} to {planned.server}, "
        f"{counted(plan.channels, 'channel')}, {told.bytes:,} bytes, {told.seen.gb_s:.3f} GB/s, "
        f"{counted(told.words_verified, 'word')} verified: {verdict.name}"
    )


def _memory(told: Told) -> str:
    """Nothing of host memory, which is the rule."""
    if not told.seen.plan.is_on_gpus:
        return ""
    return f" of {told.seen.plan.memory} memory{', one GPU for both roles' if told.one_gpu else ''}"


def _channel_lines(told: Told) -> list[str]:
    return [_channel(figures) for figures in told.channels]


def _channel(figures: ChannelFigures) -> str:
    nics = f"{figures.nics['client']} to {figures.nics['server']}"
    return (
        f"  channel {figures.channel:>2}  {nics:<14} {figures.bytes:>15,} bytes "
        f"{figures.gb_s:>8.3f} GB/s {figures.share:>6.1%}"
    )


def _claim(judged: Judged) -> str:
    if judged.outcome == Outcome.PASS.name:
        return f"  PASS {judged.claim}: {judged.fact} (checked {judged.checked:,})"
    return f"  {judged.outcome} {judged.claim}: {headline(judged)}"


def _red_lines(case: Case) -> list[str]:
    return [f"{case.outcome.name} {case.test}", f"  {case.message}"]


def _flaky_lines(case: Case) -> list[str]:
    """Green in the end, and what was red before."""
    tries = [f"  try {o.attempt}: {o.outcome.name} {o.message}" for o in case.others if o.red]
    return [f"FLAKY {case.test}", *tries]


def near(path: Path) -> str:
    """As one would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def totals(found: Sequence[Case]) -> str:
    counts = Counter(case.outcome for case in found)
    words = [f"{counts[o]} {o.name}" for o in sorted(Outcome) if counts[o]]
    if flaky := sum(case.flaky for case in found):
        words.append(f"{flaky} of them flaky")
    return f"{counted(len(found), 'test')}: {', '.join(words) or 'none'}"
