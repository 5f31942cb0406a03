"""The nightly tests run when they are asked for, by marker or by path, and in no other run."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    by_marker = "nightly" in config.option.markexpr
    by_path = config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return None if by_marker or by_path else True
