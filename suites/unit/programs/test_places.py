"""A program is found where it is built, or its absence says where it was looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import PlanError, ProvisionError
from harness.programs import PROGRAMS, named
from harness.programs.places import find


def binary(folder: Path, place: str, mode: int = 0o755) -> Path:
    file = folder / place
    file.parent.mkdir(parents=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return file


def test_below_uccl_home(tmp_path: Path) -> None:
    file = binary(tmp_path, "p2p/tcpx/tests/test_tcpx_perf_multi")
    assert find("test_tcpx_perf_multi", {"UCCL_HOME": str(tmp_path)}) == str(file)


def test_in_path(tmp_path: Path) -> None:
    file = binary(tmp_path / "bin", "iperf3")
    assert find("iperf3", {"PATH": str(tmp_path / "bin")}) == str(file)


def test_a_path_is_that_file_alone(tmp_path: Path) -> None:
    file = binary(tmp_path, "own/iperf3")
    assert find(str(file), {"PATH": "/usr/bin"}) == str(file)
    with pytest.raises(ProvisionError):
        find(str(tmp_path / "iperf3"), {"PATH": str(tmp_path / "own")})


def test_what_cannot_be_executed_is_not_it(tmp_path: Path) -> None:
    binary(tmp_path, "p2p/tcpx/tests/test_modules", mode=0o644)
    with pytest.raises(ProvisionError):
        find("test_modules", {"UCCL_HOME": str(tmp_path), "PATH": ""})


@pytest.mark.parametrize("name", PROGRAMS)
def test_absence_says_where_it_was_looked_for_and_how_to_get_it(name: str) -> None:
    with pytest.raises(ProvisionError) as caught:
        find(name, {"UCCL_HOME": "/nowhere", "NCCL_TESTS_HOME": "/nowhere", "PATH": "/nowhere"})
    told = str(caught.value)
    assert f"there is no {name}" in told
    assert "/nowhere/" in told or name == "iperf3"
    assert caught.value.fix[0].isupper()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(PlanError, match=r"unknown program 'netperf'; expected one of .*iperf3"):
        named("netperf")
