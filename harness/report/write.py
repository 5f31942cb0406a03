"""A run's folder: reads its journal and writes the reports beside it.

Each file appears whole or not at all: it is written under another name first and then renamed.
Everything but the journal can be thrown away and made again, of an unfinished run too.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from harness.errors import ReportError
from harness.evidence import Entry, read_run
from harness.report.attachment import attach
from harness.report.console import JUNIT, PAGE
from harness.report.junit import junit
from harness.report.page import page
from harness.report.summary import summary

VERDICT = "verdict.json"


def write(folder: Path, *, profile: str = "rich") -> list[Entry]:
    """Make every report of the run in `folder`; returns the entries that they were made from."""
    entries = read_run(folder)
    replace_file(folder / VERDICT, _json(summary(entries)))
    replace_file(folder / PAGE, page(entries))
    files = attach(folder, os.environ)  # JUnit comes last: it names the others
    replace_file(folder / JUNIT, junit(entries, profile=profile, attach=files))
    return entries


def replace_file(path: Path, text: str) -> None:
    """Put `text` at `path` in one step: a reader sees the old file or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace")
        draft.replace(path)
    except OSError as error:
        raise ReportError(
            f"cannot write {path}: {error.strerror}", fix="Name a folder that can be written"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _json(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=1, sort_keys=True) + "\n"
