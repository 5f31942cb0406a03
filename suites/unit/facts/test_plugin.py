"""The plugin's file: found, followed, hashed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.facts import Sheet, plugin


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed plugin behind a symlink."""
    (tmp_path / "libnccl-net.so").write_bytes(b"code NCCL_DYNAMIC_CHUNK_SIZE")
    link = tmp_path / "libnccl-net-tcpx.so"
    link.symlink_to("libnccl-net.so")
    monkeypatch.setattr(plugin, "INSTALLED", (str(link),))
    return link


def told(wanted: str = "", **environ: str) -> Sheet:
    sheet = Sheet()
    plugin.tell(sheet, wanted, environ)
    return sheet


def test_the_installed_one_is_followed_and_hashed(installed: Path) -> None:
    facts = told().facts
    assert facts["plugin.installed"] == f"{installed} -> libnccl-net.so"
    assert facts["plugin.path"] == str(installed)
    assert facts["plugin.name"] == "libnccl-net.so"
    assert facts["plugin.leads_to"] == str(installed.resolve())
    content = b"code NCCL_DYNAMIC_CHUNK_SIZE"
    assert facts["plugin.sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["plugin.noexec"] == "no"
    assert facts["plugin.reads_chunk_size"] == "yes"


def test_the_runs_own_comes_first_then_the_variables(installed: Path, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine.so", tmp_path / "theirs.so"
    for file in (mine, theirs):
        file.write_bytes(b"x")
    assert told(str(mine), UCCL_TCPX_PLUGIN_PATH=str(theirs)).facts["plugin.path"] == str(mine)
    found = told(UCCL_TCPX_PLUGIN_PATH=str(theirs)).facts
    assert found["plugin.path"] == str(theirs)
    assert found["plugin.reads_chunk_size"] == "no"


def test_without_any_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "INSTALLED", ())
    sheet = told()
    assert sheet.facts == {"plugin.installed": "none", "plugin.path": "none"}
    assert sheet.unknown == {}


def test_a_file_that_is_not_there_is_unknown_with_why(tmp_path: Path) -> None:
    sheet = told(str(tmp_path / "gone.so"))
    assert sheet.facts["plugin.path"] == str(tmp_path / "gone.so")
    assert sheet.unknown["plugin.sha256"] == "No such file or directory"


def test_a_mount_that_refuses_code_is_known() -> None:
    assert plugin.is_noexec("/proc/self/status") is _noexec("/proc")


def _noexec(mount: str) -> bool:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    (options,) = [line.split()[3] for line in lines if line.split()[1] == mount][-1:]
    return "noexec" in options.split(",")
