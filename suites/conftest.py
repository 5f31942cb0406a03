"""What several suites use: the small ncclNet plugin, built once a run."""

from __future__ import annotations

import pytest

from fixtures.nccl_net import build, compiler


@pytest.fixture(scope="session")
def nccl_plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the fixture plugin."""
    if not compiler():
        pytest.skip("no C compiler on PATH to build the ncclNet plugin of fixtures/nccl_net with")
    return str(build(tmp_path_factory.mktemp("nccl_net")))
