from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.errors import NodeError
from harness.nic.nvml import open_nvml
from suites.unit.nic.machines import MadeMachine


def test_a_node_without_the_binding_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(NodeError) as caught:
        open_nvml()
    assert "GPUs cannot be read" in str(caught.value)
    assert "pip install 'tcpx-harness[nvml]'" in str(caught.value)


def test_a_node_without_a_driver_says_so_in_nvmls_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MadeMachine(tmp_path, monkeypatch)
    made.file.write_text('{"gpus": []}')
    monkeypatch.setitem(sys.modules, "pynvml", made.library)
    with pytest.raises(NodeError, match="NVML does not answer: Driver Not Loaded"):
        open_nvml()


def test_what_must_be_told_and_is_not_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = MadeMachine(tmp_path, monkeypatch, {"uuid": None}).nvml
    with pytest.raises(NodeError, match="NVML does not tell nvmlDeviceGetUUID"):
        nvml.require("nvmlDeviceGetUUID", 0)


def test_a_gpu_without_xid_events_has_none_to_listen_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MadeMachine(tmp_path, monkeypatch, {"events": 0x7}).nvml.listen(0) is None
    assert MadeMachine(tmp_path, monkeypatch, {"events": None}).nvml.listen(0) is None
