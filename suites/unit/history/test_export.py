"""A row a sample, the same in both formats."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HistoryError
from harness.history.export import COLUMNS, export, rows
from suites.unit.history.nights import kept

HOSTILE = '=HYPERLINK("http://x","\n,y")\udc80'


def table(**about: object) -> list[tuple]:
    series = [one for night in range(2) for one in kept(night, **about).series]
    return list(rows(series, {"p" * 16: "4 channels"}))


def test_a_sample_is_a_row() -> None:
    assert [row[8:10] for row in table()] == [(0, 0.12), (1, 0.13)] * 2
    first = dict(zip(COLUMNS, table()[0], strict=True))
    assert (first["subject"], first["metric"], first["better"]) == ("eth1", "gb_s", "higher")
    assert (first["at"], first["excluded"]) == ("2026-09-21T14:13:20Z", 1)
    assert (first["under_test"], first["plan_body"]) == ("revision a1b2c3", "4 channels")


def test_csv_holds_every_bit_of_it(tmp_path: Path) -> None:
    made = table(gb_s=(0.1 + 0.2,))
    assert export(tmp_path / "x.csv", iter(made)) == 2
    with (tmp_path / "x.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == list(COLUMNS)
    assert [float(row["value"]) for row in read] == [0.1 + 0.2] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_a_text_that_a_spreadsheet_would_run_is_a_text(tmp_path: Path) -> None:
    (one,) = kept(0, gb_s=(-0.5,)).series
    hostile = replace(one, key=replace(one.key, subject=HOSTILE))
    export(tmp_path / "x.csv", rows([hostile], {}))
    with (tmp_path / "x.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["subject"] == "'" + HOSTILE.replace("\udc80", "\\udc80")
    assert row["value"] == "-0.5"


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="it needs the extra `parquet`")
    made = table()
    assert export(tmp_path / "x.parquet", iter(made)) == 4
    read = parquet.read_table(tmp_path / "x.parquet")
    assert read.column_names == list(COLUMNS)
    assert [tuple(row.values()) for row in read.to_pylist()] == made


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(HistoryError, match=r"pip install 'tcpx-harness\[parquet\]'"):
        export(tmp_path / "x.parquet", iter(table()))
    assert list(tmp_path.iterdir()) == []


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"x\.xlsx; expected one of \.csv, \.parquet"):
        export(tmp_path / "x.xlsx", iter(table()))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"cannot write .*nowhere"):
        export(tmp_path / "nowhere" / "x.csv", iter(table()))
