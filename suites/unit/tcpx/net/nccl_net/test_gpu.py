"""What the plugin's process knows of a GPU: whose memory a pointer is, and who may open it."""

from __future__ import annotations

import ctypes

import pytest

from harness.tcpx.memory import host_buffer
from harness.tcpx.net.nccl_net.gpu import HANDLE_BYTES, LIBRARY, Gpu, GpuError
from suites.unit.tcpx.net.nccl_net.driver import PLUGINS_OWN, Driver

DATA = bytes(range(256))


@pytest.fixture(params=["stand-in", pytest.param("cuda", marks=pytest.mark.gpu)])
def driver(request: pytest.FixtureRequest) -> Driver:
    is_real = request.param == "cuda"
    return Driver(LIBRARY if is_real else request.getfixturevalue("no_cuda"))


def test_a_driver_that_is_not_there_is_named() -> None:
    with pytest.raises(GpuError, match=r"driver cannot be loaded: libnowhere\.so\.1: cannot open"):
        Gpu(0, "libnowhere.so.1")


def test_a_gpu_that_is_not_there_is_named(no_cuda: str) -> None:
    with pytest.raises(GpuError, match=r"^cuDeviceGet answered CUDA_ERROR_INVALID_DEVICE \(101\)$"):
        Gpu(1, no_cuda)


def test_memory_of_the_gpu_is_read_by_a_copy(driver: Driver) -> None:
    address = driver.take()
    driver.write(address + 100, DATA)
    assert driver.gpu.read(address + 100, len(DATA)) == DATA
    assert driver.gpu.read(address + 103, 5) == DATA[3:8]


def test_host_memory_that_the_gpu_reaches_is_read_where_it_lies(driver: Driver) -> None:
    address = driver.take_host(4096)
    ctypes.memmove(address, DATA, len(DATA))
    assert driver.gpu.read(address, len(DATA)) == DATA
    assert driver.gpu.share(address) is None


def test_memory_that_cuda_does_not_know_is_somebody_elses(driver: Driver) -> None:
    address = host_buffer(4096).ctypes.data
    for unknown in (address, 4096, 2**64 - 8192):
        assert driver.gpu.read(unknown, 16) is None
        assert driver.gpu.share(unknown) is None


def test_what_is_shared_is_the_whole_allocation_and_a_place_in_it(driver: Driver) -> None:
    address = driver.take()
    shared = driver.gpu.share(address)
    assert shared is not None
    handle, offset, size = shared
    assert (len(handle), offset, size) == (HANDLE_BYTES, 0, PLUGINS_OWN)
    assert driver.gpu.share(address + 5000) == (handle, 5000, PLUGINS_OWN - 5000)


def test_what_nobody_shares_is_not_opened(driver: Driver) -> None:
    with pytest.raises(GpuError, match=r"^cuIpcOpenMemHandle_v2 answered CUDA_ERROR_"):
        driver.gpu.open(bytes(HANDLE_BYTES), 0)
