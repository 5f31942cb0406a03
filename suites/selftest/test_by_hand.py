"""Roles on two terminals, as the transport's documents start theirs: no controller, no leash."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import pytest

from suites.selftest.sshd import free_port
from suites.selftest.test_foreign_nodes import PROJECT, made

pytestmark = pytest.mark.selftest

SAID_S = 20.0
IMPATIENT = """
import functools, sys
from harness.roles import __main__ as roles
roles.from_environment = functools.partial(roles.from_environment, deadline_s=1.5)
sys.exit(roles.main(sys.argv[1:]))
"""
BY_HAND = ("-m", "harness.roles")
AT_ONCE = ("-c", IMPATIENT)  # the same program, with less patience than the default 30 s


@dataclass(frozen=True)
class Terminal:
    """A role that somebody started, and what it says to people."""

    process: subprocess.Popen[str]

    def until(self, said: str) -> None:
        """Read up to a line with `said`."""
        assert self.process.stdout is not None
        watch = Timer(SAID_S, self.process.kill)
        watch.start()
        try:
            assert any(said in line for line in self.process.stdout), f"it never said {said!r}"
        finally:
            watch.cancel()

    def end(self) -> tuple[int, list[str]]:
        """Exit status and all lines that were not read yet."""
        out, errors = self.process.communicate(timeout=SAID_S)
        assert errors == ""
        return self.process.returncode, out.splitlines()


Open = Callable[..., Terminal]


@pytest.fixture
def terminal() -> Iterator[Open]:
    """Starts `python ... words` with an environment of the transport's variables."""
    with ExitStack() as stack:

        def start(*words: str, at: tuple[str, ...] = (), **environ: object) -> Terminal:
            kept = {k: v for k, v in os.environ.items() if not k.startswith(("NCCL_", "UCCL_"))}
            process = subprocess.Popen(
                [*at, sys.executable, "-u", *words],
                cwd=PROJECT,
                env=kept | {name: str(value) for name, value in environ.items()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                bufsize=1,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return Terminal(process)

        yield start


@pytest.fixture
def loopback() -> dict[str, object]:
    """The transport's variables for two terminals of one machine."""
    return {
        "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "lo",
        "UCCL_TCPX_BOOTSTRAP_PORT_BASE": free_port() - 3,
        "UCCL_TCPX_PERF_SIZE": 3_000_001,
        "UCCL_TCPX_NUM_CHANNELS": 2,
    }


def holds(lines: list[str], pattern: str) -> bool:
    return any(re.fullmatch(pattern, line) for line in lines)


PERF = r"\[PERF\] Avg \({} iter\): \d+\.\d{{3}} ms, BW: \d+\.\d\d GB/s"


def test_two_nodes_exchange_over_their_nics(terminal: Open, tmp_path: Path) -> None:
    """The defaults: 4 channels on eth1 to eth4, port 20000 + GPU."""
    size = {"UCCL_TCPX_PERF_SIZE": 4_000_000}
    with made(tmp_path) as machines:
        server = terminal(*BY_HAND, "server", "0", at=machines.at("a"), **size)
        server.until("[Bootstrap] Server listening on port 20000")
        client = terminal(*BY_HAND, "client", "198.19.1.2", "0", at=machines.at("b"), **size)
        for role, handles in ((server, "sent"), (client, "received")):
            code, lines = role.end()
            assert code == 0, lines
            for channel in range(4):
                nic = rf"\(eth{channel + 1}, PCI=\S+\)"
                said = rf"\[ChannelManager\] Channel {channel} → netDev {channel} {nic}"
                assert holds(lines, said), lines
            assert f"[Bootstrap] Successfully {handles} 4 handles" in lines
            assert holds(lines, PERF.format(1)), lines


def test_the_environment_says_what_is_exchanged(
    terminal: Open, loopback: dict[str, object]
) -> None:
    loopback |= {"UCCL_TCPX_PERF_ITERS": 3, "NCCL_NSOCKS_PERTHREAD": 2}
    server = terminal(*BY_HAND, "server", "3", **loopback)
    client = terminal(*BY_HAND, "client", "127.0.0.1", "3", **loopback)
    for role, word in ((server, "recv"), (client, "send")):
        code, lines = role.end()
        assert code == 0, lines
        assert holds(lines, r"\[ChannelManager\] Created 2 channel\(s\) for GPU 3 .*"), lines
        registered = f"Registering HOST memory for {word}: mem_id=1, size=3000001"
        assert f"[ChannelManager] {registered}" in lines
        assert holds(lines, PERF.format(3)), lines
        assert not any(line.startswith("{") for line in lines), "records are for a controller"


def test_a_client_may_come_first(terminal: Open, loopback: dict[str, object]) -> None:
    client = terminal(*BY_HAND, "client", "127.0.0.1", "3", **loopback)
    client.until("[Bootstrap] Connecting to 127.0.0.1:")
    assert terminal(*BY_HAND, "server", "3", **loopback).end()[0] == 0
    assert client.end()[0] == 0


def test_a_client_without_a_server_says_so(terminal: Open, loopback: dict[str, object]) -> None:
    code, lines = terminal(*AT_ONCE, "client", "127.0.0.1", "3", **loopback).end()
    port = int(str(loopback["UCCL_TCPX_BOOTSTRAP_PORT_BASE"])) + 3
    assert code == 1
    assert lines[-1].startswith(f"[ERROR] BOOTSTRAP: 127.0.0.1:{port}: connect() failed: ")
    assert lines[-1].endswith("Is the server ready, and the port the same on both sides?")
    assert sum("[ERROR]" in line for line in lines) == 1


def test_different_numbers_of_channels_are_named(
    terminal: Open, loopback: dict[str, object]
) -> None:
    server = terminal(*AT_ONCE, "server", "3", **loopback)
    client = terminal(
        *AT_ONCE, "client", "127.0.0.1", "3", **loopback | {"UCCL_TCPX_NUM_CHANNELS": 3}
    )
    code, lines = client.end()
    assert code == 1
    assert "Handle count mismatch: expected 3, got 2. Both roles must use" in lines[-1]
    code, lines = server.end()
    assert code == 1
    assert "channels 0 (lo), 1 (lo) were not accepted" in lines[-1]


def test_a_missing_nic_is_named(terminal: Open, loopback: dict[str, object]) -> None:
    terminal(*AT_ONCE, "server", "3", **loopback)
    lacking = loopback | {"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "lo,eth99"}
    code, lines = terminal(*AT_ONCE, "client", "127.0.0.1", "3", **lacking).end()
    assert code == 1
    assert lines[-1].startswith("[ERROR] LINK_DOWN: channel 1: ")
    assert "eth99" in lines[-1]


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        (["client"], {}, "client needs the server's address: client ADDRESS [GPU]"),
        (["client", "127.0.0.1", "first"], {}, "['127.0.0.1', 'first'] is not understood"),
        (["server", "0", "1"], {}, "['0', '1'] is not understood"),
        (["server", "256"], {}, "[ERROR] PLAN: plan: gpu is 256, expected 0..255"),
        (["server"], {"UCCL_TCPX_NUM_CHANNELS": "many"}, "UCCL_TCPX_NUM_CHANNELS is 'many'"),
        (["server"], {"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME": "^lo"}, "SOCKET_IFNAME is '^lo'"),
    ],
)
def test_what_cannot_be_started_is_refused_in_a_sentence(
    terminal: Open, words: list[str], environ: dict[str, str], said: str
) -> None:
    process = terminal(*BY_HAND, *words, **environ).process
    out, errors = process.communicate(timeout=SAID_S)
    assert process.returncode == 2
    assert out == ""
    assert said in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_ctrl_c_ends_a_waiting_server(terminal: Open, loopback: dict[str, object]) -> None:
    server = terminal(*BY_HAND, "server", "3", **loopback)
    server.until("[ChannelManager] Channel 1")  # it waits for a client
    server.process.send_signal(signal.SIGINT)
    assert server.end()[0] == 130


def test_a_role_that_is_assigned_nothing_ends_with_its_stdin(terminal: Open) -> None:
    assert terminal(*BY_HAND, "server", "--assigned").end() == (113, [])
