"""What several suites build once a run: the small ncclNet plugin, and a driver without a GPU."""

from __future__ import annotations

import pytest

from fixtures import cuda
from fixtures.nccl_net import build, compiler


@pytest.fixture(scope="session")
def nccl_plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the fixture plugin."""
    if not compiler():
        pytest.skip("no C compiler on PATH to build the ncclNet plugin of fixtures/nccl_net with")
    return str(build(tmp_path_factory.mktemp("nccl_net")))


@pytest.fixture(scope="session")
def no_cuda(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a library that stands in for CUDA's driver, alone in its folder."""
    if not compiler():
        pytest.skip("no C compiler on PATH to build the stand-in for CUDA's driver with")
    return str(cuda.build(tmp_path_factory.mktemp("no_cuda")))
