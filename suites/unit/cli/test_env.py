"""What `env show` and `env diff` say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.__main__ import main
from harness.cli.env import compared, shown
from harness.preset import load


def test_without_a_name_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[1].startswith("gke ")


def test_a_preset_is_shown_with_who_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "show", "gke"]) == 0
    said = capsys.readouterr().out
    assert "from GoogleCloudPlatform/cluster-toolkit" in said
    assert "NCCL_ALGO                                             Ring  [read by nccl]" in said
    assert "[read by plugin, nccl]" in said
    assert "left open: the image's script chooses /run/tcpx" in said
    assert said.endswith("10 of 22 names are read by the plugin\n")


def test_what_nobody_reads_is_marked() -> None:
    nobodys = {"NCCL_GPUDIRECTTCPX_RX_COMPLETION_NANOSLEEP": "100"}
    said = "\n".join(shown(replace(load("gke"), environment=nobodys)))
    assert "[READ BY NOBODY: in scripts only; its sibling" in said
    assert "0 of 1 names are read by the plugin" in said


def test_a_difference_has_both_values_and_its_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "diff", "gke", "straggler"]) == 1
    said = capsys.readouterr().out
    assert "  NCCL_GPUDIRECTTCPX_FORCE_ACK  [read by plugin]\n    gke: 0\n    straggler: 1" in said
    assert "straggler: (not set)" in said


def test_a_preset_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "diff", "gke", "gke"]) == 0
    assert compared(load("gke"), load("gke")) == ["gke and gke: 0 names differ"]


def test_an_unknown_preset_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "show", "nope"]) == 2
    assert capsys.readouterr().err.startswith("PRESET: there is no preset 'nope'")
