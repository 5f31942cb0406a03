"""A test marked `gpu` is skipped by name, with the reason, where there is no GPU."""

from __future__ import annotations

import pytest

from harness.tcpx.cuda import why_not


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu") and (reason := why_not()):
        pytest.skip(f"no CUDA: {reason}")
