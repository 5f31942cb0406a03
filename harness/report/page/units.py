"""Numbers as people read them, with the unit said: one spelling each on every page."""

from __future__ import annotations

from datetime import UTC, datetime

BINARY = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
METRICS = {
    "gb_s": "GB/s",
    "iteration_s": "seconds an iteration",
    "cpu_s_per_gb": "CPU seconds a GB",
    "gb_s_beside": "GB/s beside the plan's other NICs",
}
SCALES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size(count: float) -> str:
    """Bytes in the largest unit of 1000s that leaves at least one: `1.27 GB`."""
    for unit, scale in SCALES:
        if abs(count) >= scale:
            return f"{count / scale:.2f} {unit}"
    return f"{count:,.0f} B"


def block(count: float) -> str:
    """What a plan asks for, which people choose in powers of two: `64 MiB`, `512 KiB`."""
    for unit, scale in BINARY:
        if count >= scale and count % scale == 0:
            return f"{count / scale:,.0f} {unit}"
    return size(count)


def rate(gb_s: float) -> str:
    return f"{gb_s:.3f} GB/s"


def seconds(value_s: float) -> str:
    """A duration with three figures or so: `0.41 ms`, `12.3 ms`, `2.35 s`."""
    if abs(value_s) < 1:
        return f"{value_s * 1e3:.{1 if abs(value_s) >= 0.01 else 2}f} ms"
    return f"{value_s:,.2f} s"


def moment(wall_s: float) -> str:
    """`2026-11-21 15:48:03 UTC`."""
    return datetime.fromtimestamp(int(wall_s), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def metric(name: str) -> str:
    """A figure of the history in words: `GB/s`."""
    return METRICS.get(name, name)


def value(name: str, figure: float) -> str:
    """Such a figure with its unit, where its name does not say it."""
    if name == "gb_s":
        return rate(figure)
    return seconds(figure) if name.endswith("iteration_s") else f"{figure:#.3g}"
