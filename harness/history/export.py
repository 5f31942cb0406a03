"""The history as one long table, a row a sample, for whoever wants to look at it otherwise."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import HistoryError
from harness.history.series import Night, Series

COLUMNS = {
    "fingerprint": str,
    "plan": str,
    "metric": str,
    "subject": str,
    "better": str,
    "run": str,
    "at": str,  # UTC, ISO 8601
    "at_s": float,
    "sample": int,
    "value": float,
    "excluded": int,  # of the same night, so many more
    "under_test": str,  # "what which; what which"
    "plan_body": str,
}
# A spreadsheet would take a text that begins with one of these for a formula, and run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MISSING = (
    "Parquet needs pyarrow, which is not installed. Run: python -m pip install "
    "'tcpx-harness[parquet]', or name a .csv file"
)
Row = tuple[Any, ...]


def rows(series: Sequence[Series], plans: Mapping[str, str]) -> Iterator[Row]:
    """A row a sample, in the order of COLUMNS; `plans` are the plans' bodies in words."""
    for one in series:
        key = one.key
        first = (key.fingerprint, key.plan, key.metric, key.subject, one.better)
        for night in one.nights:
            last = (night.excluded, _under_test(night), plans.get(key.plan, ""))
            when = (night.run, _iso(night.at_s), night.at_s)
            for number, value in enumerate(night.samples):
                yield (*first, *when, number, value, *last)


def export(path: Path, found: Iterator[Row]) -> int:
    """Write a .csv or a .parquet; the number of rows."""
    writers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix not in writers:
        raise HistoryError(f"cannot export to {path}", expected=f"one of {', '.join(writers)}")
    table = list(found)
    draft = path.with_name(f".{path.name}.draft")
    try:
        writers[path.suffix](draft, table)
        draft.replace(path)
    except OSError as error:
        raise HistoryError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return len(table)


def _csv(path: Path, table: Sequence[Row]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_harmless(cell) for cell in row] for row in table)
    path.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace", newline="")


def _harmless(cell: Any) -> Any:
    """A text that is no formula to a spreadsheet; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _parquet(path: Path, table: Sequence[Row]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise HistoryError(MISSING) from error
    kinds = {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    columns = list(zip(*table, strict=True)) or [()] * len(COLUMNS)
    arrays = [
        pyarrow.array(column, type=kind) for column, kind in zip(columns, schema.types, strict=True)
    ]
    parquet.write_table(pyarrow.table(arrays, schema=schema), path)


def _under_test(night: Night) -> str:
    return "; ".join(f"{what} {which}" for what, which in sorted(night.revision.items()))


def _iso(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))
