"""What was measured, as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.bench.figures import Spread
from harness.bench.growth import MEASURES, Point, slope
from harness.bench.messages import Messages
from harness.bench.overhead import Overhead
from harness.bench.ratios import Ratio
from harness.bench.rows import Row
from harness.bench.sheet import Sheet

HEAD = (
    f"{'case':16} {'peer':14} ch  {'GB/s min/median/max':23} {'of line':>7}  {'CPU s/GB':>8}  NICs"
)


def of_sheet(sheet: Sheet) -> list[str]:
    """All that was measured, then what was promised."""
    lines = of_rows(sheet.rows) if sheet.rows else []
    lines += of_overhead(sheet.overhead) if sheet.overhead else []
    lines += of_messages(sheet.messages) if sheet.messages else []
    lines += of_growth(sheet.growth) if sheet.growth else []
    lines += ["", *of_ratios(sheet.ratios())]
    return [*lines, *(f"absent: {name} ({sheet.install[name]})" for name in sheet.absent())]


def of_rows(rows: Sequence[Row]) -> list[str]:
    """A row a line; an error instead of figures where there are none."""
    return [HEAD, *map(_row, rows)]


def _row(row: Row) -> str:
    head = f"{row.case:16} {row.peer:14} {row.channels:2d}  "
    if row.gb_s is None:
        return f"{head}ERROR {row.error}"
    share = "" if row.fraction_of_line is None else f"{row.fraction_of_line:.3f}"
    cpu = "" if row.cpu_s_per_gb is None else f"{row.cpu_s_per_gb.median:.2f}"
    marks = f"  {row.disturbed} disturbed" if row.disturbed else ""
    marks += f"  also: {row.error}" if row.error else ""
    nics = row.nics_used or ""
    return f"{head}{spread(row.gb_s):23} {share:>7}  {cpu:>8}  {nics!s:4}{marks}".rstrip()


def spread(value: Spread) -> str:
    return f"{value.least:.3f}/{value.median:.3f}/{value.most:.3f}"


def of_ratios(ratios: Sequence[Ratio]) -> list[str]:
    """A promise a line, kept or not."""
    return [
        f"{'holds' if ratio.holds else 'MISSES':6}  {ratio.name:36} "
        f"{'not measured' if ratio.value is None else f'{ratio.value:.3f}':>12} "
        f"{'>=' if ratio.at_least else '<='} {ratio.threshold:g}"
        for ratio in ratios
    ]


def of_overhead(price: Overhead) -> list[str]:
    parts = ", ".join(f"{name} {value.median:.3f}" for name, value in price.phases.items())
    memory = ", ".join(
        f"{rss / 2**20:.0f} MiB after {size / 2**20:,.0f} MiB"
        for size, rss in price.role_memory_bytes.items()
    )
    return [
        "",
        f"a warm exchange, s: {parts}",
        f"its fixed cost, s min/median/max: {spread(price.fixed_s)}; "
        f"CPU of the controller {price.controller_cpu_s:.3f}",
        f"observer: {price.observer_core_share:.2%} of a core, "
        f"{price.observer_samples_s:.0f} samples a second",
        f"memory of a role: {memory}",
    ]


def of_messages(sizes: Sequence[Messages]) -> list[str]:
    lines = ["", f"{'chunk bytes':>11} {'messages/s':>12} {'GB/s':>8} {'p50 us':>9} {'p99 us':>9}"]
    for one in sizes:
        p50, p99 = ("" if us is None else f"{us:.0f}" for us in (one.p50_us, one.p99_us))
        lines.append(
            f"{one.chunk_bytes:11,} {one.per_s.median:12,.0f} {one.gb_s:8.3f} {p50:>9} {p99:>9}"
        )
    return lines


def of_growth(growth: Mapping[str, Sequence[Point]]) -> list[str]:
    """Each measure's slope on log axes, and its first and last value."""
    lines = [""]
    for name, points in growth.items():
        first, last = points[0], points[-1]
        for measure in MEASURES:
            steep = slope(points, measure)
            told = "" if steep is None else f"slope {steep:.2f}"
            low, high = getattr(first, measure), getattr(last, measure)
            digits = 3 if measure.endswith("_s") else 0
            costs = f"{measure:13} {low:,.{digits}f} to {high:,.{digits}f}"
            lines.append(f"{name:10} {first.x:,} to {last.x:,}: {costs}  {told}".rstrip())
    return lines
