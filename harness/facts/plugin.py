"""The plugin's file: where it is, where that leads, what is in it, and whether it may be mapped."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Mapping

from harness.facts.sheet import Sheet

VARIABLE = "UCCL_TCPX_PLUGIN_PATH"
# Where installers put it: UCCL's default, which is a symlink, and the vendor's own folder.
INSTALLED = (
    "/usr/local/tcpx/lib64/libnccl-net-tcpx.so",
    "/usr/local/tcpx/lib64/libnccl-net.so",
    "/var/lib/tcpx/lib64/libnccl-net.so",
)
CHUNK_SIZE = b"DYNAMIC_CHUNK_SIZE"
BLOCK_BYTES = 1 << 20
NONE = "none"


def tell(sheet: Sheet, wanted: str = "", environ: Mapping[str, str] = os.environ) -> None:
    """`wanted` is the path that the run names; without one, what is installed is looked at."""
    installed = [path for path in INSTALLED if os.path.lexists(path)]
    sheet.tell("plugin.installed", ", ".join(map(_leading, installed)) or NONE)
    path = wanted or environ.get(VARIABLE, "") or next(iter(installed), "")
    sheet.tell("plugin.path", path or NONE)
    if path:
        sheet.tell("plugin.name", os.path.basename(os.path.realpath(path)))
        sheet.tell("plugin.leads_to", os.path.realpath(path))
        sheet.ask("plugin.sha256", lambda: _sha256(path))
        sheet.ask("plugin.reads_chunk_size", lambda: "yes" if _reads_chunk_size(path) else "no")
        sheet.ask("plugin.noexec", lambda: "yes" if is_noexec(path) else "no")


def is_noexec(path: str) -> bool:
    """Whether nothing of the file's mount may be mapped as code: dlopen would fail."""
    return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)


def _leading(path: str) -> str:
    """`path -> target` of a symlink."""
    return f"{path} -> {os.readlink(path)}" if os.path.islink(path) else path


def _reads_chunk_size(path: str) -> bool:
    """Whether the variable whose default is a trap is among its texts."""
    with open(path, "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(CHUNK_SIZE) >= 0


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
