"""The system's own sshd on loopback, with keys, users' files and a home of its own.

Tests name this module in `pytest_plugins`. PYTEST_DONT_REWRITE, since they import from it too.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.inventory.spec import NodeSpec

START_S = 10.0


def make_key(path: Path, kind: str = "ed25519") -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


def public(key: Path) -> str:
    """Type and base64 of a key."""
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Sshd:
    """One server. Its `spec` reaches it, with its first host key pinned."""

    def __init__(
        self, folder: Path, kinds: tuple[str, ...] = ("ed25519",), extra: str = ""
    ) -> None:
        folder.mkdir()
        self.folder, self.home, self.port = folder, folder / "home", free_port()
        self.home.mkdir()
        self.key = make_key(folder / "id")
        (folder / "authorized").write_text(public(self.key) + "\n")
        self.host_keys = [make_key(folder / f"host_{kind}", kind) for kind in kinds]
        self.known_hosts = folder / "known_hosts"
        self.pin(public(self.host_keys[0]))
        (folder / "config").write_text(self._config(extra))
        self.process = self._start()

    @property
    def name(self) -> str:
        return f"[127.0.0.1]:{self.port}"

    def pin(self, key: str) -> None:
        self.known_hosts.write_text(f"{self.name} {key}\n")

    @property
    def spec(self) -> NodeSpec:
        return NodeSpec(
            name="alpha",
            address="127.0.0.1",
            user="root",
            port=self.port,
            key=str(self.key),
            known_hosts=str(self.known_hosts),
            ssh_config="/dev/null",
        )

    def stop(self) -> None:
        """End the server and the sessions that it has forked."""
        if self.process.returncode is not None:
            return
        sessions = children(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        if self.process.stderr:
            self.process.stderr.close()

    def _config(self, extra: str) -> str:
        # What is set first counts, so the test's own settings come first.
        keys = "".join(f"HostKey {key}\n" for key in self.host_keys)
        return (
            f"{extra}\nListenAddress 127.0.0.1:{self.port}\n{keys}"
            f"AuthorizedKeysFile {self.folder / 'authorized'}\nPidFile none\nUsePAM no\n"
            "StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n"
            f"SetEnv HOME={self.home}\n"
        )

    def _start(self) -> subprocess.Popen[bytes]:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "config")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        said, until = b"", time.monotonic() + START_S
        while b"Server listening" not in said:
            ready, _, _ = select.select([process.stderr], [], [], until - time.monotonic())
            data = os.read(process.stderr.fileno(), 4096) if ready else b""
            if not data:
                process.kill()
                pytest.fail(f"sshd did not start: {said!r}")
            said += data
        return process


def children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(word) for word in text.split()]


def until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether `condition` came true in time."""
    end = time.monotonic() + timeout_s
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return met


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def without_pin(spec: NodeSpec, folder: Path) -> NodeSpec:
    """The same node, with an empty file of pins."""
    return replace(spec, known_hosts=str(folder / "nobody"))


@pytest.fixture
def make_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    with contextlib.ExitStack() as stack:
        made = 0

        def make(kinds: tuple[str, ...] = ("ed25519",), extra: str = "") -> Sshd:
            nonlocal made
            made += 1
            server = Sshd(tmp_path / f"sshd{made}", kinds, extra)
            stack.callback(server.stop)
            return server

        yield make


@pytest.fixture
def sshd(make_sshd: Callable[..., Sshd]) -> Sshd:
    return make_sshd()
