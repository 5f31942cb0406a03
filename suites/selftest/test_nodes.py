"""Nodes over the real sshd: commands, host keys, ssh_config, jump hosts, doors, provisioning."""

from __future__ import annotations

import contextlib
import getpass
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import enroll
from harness.errors import DeadlineError, HostKeyError, NodeError, ProvisionError, SshError
from harness.inventory.spec import NodeSpec
from harness.nodes import Node, connect
from harness.nodes.node import OUTPUT_BYTES
from harness.nodes.provision import KEPT
from suites.selftest.sshd import (
    Sshd,
    alive,
    children,
    free_port,
    make_key,
    public,
    until,
    without_pin,
)

pytestmark = [
    pytest.mark.selftest,
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
]
pytest_plugins = ("suites.selftest.sshd",)
MakeSshd = Callable[..., Sshd]


@pytest.fixture
def node(sshd: Sshd) -> Iterator[Node]:
    with connect(sshd.spec) as node:
        yield node


def refusal(spec: NodeSpec, kind: type[NodeError] = SshError) -> str:
    with pytest.raises(kind) as caught:
        connect(spec, timeout_s=5.0).close()
    assert type(caught.value) is kind
    assert spec.name in str(caught.value) or spec.address in str(caught.value)
    return str(caught.value)


# -- commands ----------------------------------------------------------------------------------


def test_code_and_both_streams_come_back(node: Node) -> None:
    ran = node.run(["sh", "-c", "echo 'a  b'; echo c >&2; exit 7"], timeout_s=10)
    assert (ran.code, ran.stdout, ran.stderr) == (7, "a  b\n", "c\n")


def test_arguments_arrive_as_they_are(node: Node) -> None:
    words = ["a b", "$HOME", "'", '"', "*", ";", "\n", ""]
    ran = node.run(["printf", "%s|", *words], timeout_s=10)
    assert ran.stdout == "".join(f"{word}|" for word in words)


def test_signal_is_told_as_128_plus_number(node: Node) -> None:
    assert node.run(["sh", "-c", "kill -TERM $$"], timeout_s=10).code == 128 + 15


def test_absent_program_is_127(node: Node) -> None:
    ran = node.run(["no-such-program"], timeout_s=10)
    assert ran.code in (126, 127)
    assert "no-such-program" in ran.stderr


def test_large_output_of_both_streams_neither_hangs_nor_is_lost_in_silence(node: Node) -> None:
    size = 6 * 1024 * 1024
    script = f"printf HEAD; head -c {size} /dev/zero >&2; head -c {size} /dev/zero; printf TAIL"
    ran = node.run(["sh", "-c", script], timeout_s=60)
    assert ran.code == 0
    assert ran.stdout.startswith("HEAD")
    assert ran.stdout.endswith("TAIL")
    assert f"[... {size + 8 - OUTPUT_BYTES} bytes cut ...]" in ran.stdout
    assert f"[... {size - OUTPUT_BYTES} bytes cut ...]" in ran.stderr


def test_large_stdin_is_echoed_while_it_is_written(node: Node) -> None:
    data = os.urandom(1024 * 1024) * 3
    ran = node.run(["sha256sum"], timeout_s=60, stdin=data)
    echoed = node.run(["wc", "-c"], timeout_s=60, stdin=data)
    local = subprocess.run(["sha256sum"], input=data, capture_output=True, timeout=60, check=True)
    assert ran.stdout == local.stdout.decode()
    assert echoed.stdout.strip() == str(len(data))


def test_deadline_ends_the_remote_process(node: Node) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineError, match=r"alpha: .*sleep 300.* within 0.5 s.*last said"):
        node.run(["sh", "-c", "echo $$ > ~/pid; echo waiting; sleep 300"], timeout_s=0.5)
    assert time.monotonic() - begun < 4
    pid = int(
        node.get(node.run(["sh", "-c", "echo ~/pid"], timeout_s=5).stdout.strip(), timeout_s=5)
    )
    assert until(lambda: not alive(pid), 2)


def test_leftover_child_that_holds_the_streams_does_not_hold_the_caller(node: Node) -> None:
    ran = node.run(["sh", "-c", "setsid sleep 30 & echo $!; exit 4"], timeout_s=20)
    os.kill(int(ran.stdout), 9)
    assert ran.code == 4
    assert ran.duration_s < 10


def test_more_commands_than_channels_take_turns(node: Node) -> None:
    with ThreadPoolExecutor(14) as pool:
        runs = pool.map(
            lambda i: node.run(["sh", "-c", f"sleep 0.2; echo {i}"], timeout_s=30), range(24)
        )
        assert [int(ran.stdout) for ran in runs] == list(range(24))


def test_lost_connection_is_an_ssh_error(sshd: Sshd, node: Node) -> None:
    timer = threading.Timer(0.5, sshd.stop)
    timer.start()
    with pytest.raises(SshError, match="alpha: the connection was lost while sleep ran"):
        node.run(["sleep", "8"], timeout_s=15)
    timer.join()
    with pytest.raises(SshError, match="does not take commands"):
        node.run(["true"], timeout_s=5)


def test_files_are_put_whole_and_got_back(node: Node, sshd: Sshd) -> None:
    path, data = str(sshd.home / "deep" / "a file"), bytes(range(256)) * 1000
    node.put(path, data, timeout_s=10)
    assert node.get(path, timeout_s=10) == data
    assert os.listdir(sshd.home / "deep") == ["a file"]


def test_file_errors_name_node_and_path(node: Node) -> None:
    with pytest.raises(NodeError, match=r"alpha: cannot read /no/such/file"):
        node.get("/no/such/file", timeout_s=10)
    with pytest.raises(NodeError, match=r"alpha: cannot write /proc/no/file"):
        node.put("/proc/no/file", b"", timeout_s=10)


def test_close_leaves_no_thread_and_no_descriptor(sshd: Sshd) -> None:
    connect(sshd.spec).close()  # what is made once and kept
    before = (threading.active_count(), len(os.listdir("/proc/self/fd")))
    with connect(sshd.spec) as node:
        node.leash().clock()
    assert until(lambda: (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before, 5)


# -- why there is no connection ----------------------------------------------------------------


def test_refused_connection(sshd: Sshd) -> None:
    assert "refused the connection" in refusal(replace(sshd.spec, port=free_port()))


def test_name_without_address(sshd: Sshd) -> None:
    assert "has no address" in refusal(replace(sshd.spec, address="no-such-host.invalid"))


def test_rejected_key_tells_what_was_tried(sshd: Sshd, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    said = refusal(replace(sshd.spec, key=str(stranger)))
    assert "root cannot log in" in said
    assert str(stranger) in said
    assert "authorized_keys" in said


def test_absent_key_file_is_named(sshd: Sshd) -> None:
    assert "/no/such/key" in refusal(replace(sshd.spec, key="/no/such/key"))


def test_key_with_passphrase_is_named(sshd: Sshd, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)]
    subprocess.run(command, check=True, timeout=30)
    assert str(locked) in refusal(replace(sshd.spec, key=str(locked)))


def test_silent_listener_meets_the_deadline(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        spec = replace(sshd.spec, port=mute.getsockname()[1])
        begun = time.monotonic()
        with pytest.raises((DeadlineError, SshError), match="alpha"):
            connect(spec, timeout_s=1.0)
        assert time.monotonic() - begun < 4


def test_listener_that_is_no_sshd_is_said_so(sshd: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            with other.accept()[0] as peer:
                peer.sendall(b"220 mail.example\r\n" * 200)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        assert "no SSH handshake" in refusal(replace(sshd.spec, port=other.getsockname()[1]))
        thread.join(5)


# -- host keys ---------------------------------------------------------------------------------


@pytest.fixture
def marked(sshd: Sshd) -> Iterator[Path]:
    """A file that any session on the node makes; that it can is shown first."""
    marker = sshd.folder / "marker"
    (sshd.folder / "authorized").write_text(f'command="touch {marker}" {public(sshd.key)}\n')
    with connect(sshd.spec) as node:
        node.run(["true"], timeout_s=10)
    assert marker.exists()
    marker.unlink()
    yield marker
    assert not marker.exists()


def fingerprint(key: Path) -> str:
    command = ["ssh-keygen", "-l", "-f", f"{key}.pub"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]


def test_unknown_host_key_executes_nothing(sshd: Sshd, marked: Path, tmp_path: Path) -> None:
    said = refusal(without_pin(sshd.spec, tmp_path), HostKeyError)
    assert "an unknown host key" in said
    assert fingerprint(sshd.host_keys[0]) in said
    assert f"python -m harness enroll 127.0.0.1:{sshd.port}" in said


def test_changed_host_key_executes_nothing(sshd: Sshd, marked: Path, tmp_path: Path) -> None:
    old = make_key(tmp_path / "old")
    sshd.pin(public(old))
    said = refusal(sshd.spec, HostKeyError)
    assert "another host key" in said
    assert fingerprint(old) in said
    assert fingerprint(sshd.host_keys[0]) in said
    assert "--replace" in said


def test_revoked_host_key_executes_nothing(sshd: Sshd, marked: Path) -> None:
    key = public(sshd.host_keys[0])
    sshd.known_hosts.write_text(f"{sshd.name} {key}\n@revoked * {key}\n")
    assert "revoked" in refusal(sshd.spec, HostKeyError)


def test_authority_lines_are_passed_over_and_mentioned(sshd: Sshd, marked: Path) -> None:
    key = public(sshd.host_keys[0])
    sshd.known_hosts.write_text(f"@cert-authority * {key}\n")
    assert "1 @cert-authority lines that are not supported" in refusal(sshd.spec, HostKeyError)


def test_authority_lines_do_not_spoil_a_pin(sshd: Sshd) -> None:
    key = public(sshd.host_keys[0])
    sshd.known_hosts.write_text(f"# mine\n@cert-authority * {key}\nbroken\n{sshd.name} {key}\n")
    connect(sshd.spec).close()


def test_hashed_pin_is_found(sshd: Sshd) -> None:
    command = ["ssh-keygen", "-q", "-H", "-f", str(sshd.known_hosts)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert sshd.known_hosts.read_text().startswith("|1|")
    connect(sshd.spec).close()


@pytest.mark.parametrize("pinned", [0, 1, 2])
def test_pinned_type_is_asked_for(make_sshd: MakeSshd, pinned: int) -> None:
    sshd = make_sshd(("ed25519", "ecdsa", "rsa"))
    sshd.pin(public(sshd.host_keys[pinned]))
    connect(sshd.spec).close()


# -- ssh_config --------------------------------------------------------------------------------


def test_alias_include_and_hostkeyalias_are_honoured(sshd: Sshd, tmp_path: Path) -> None:
    key = public(sshd.host_keys[0])
    (tmp_path / "pins").write_text(f"the-node {key}\n")
    (tmp_path / "more").write_text(
        f"Host gpu-*\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User root\n"
        f"  IdentityFile {sshd.key}\n  IdentitiesOnly yes\n  HostKeyAlias the-node\n"
        f"  UserKnownHostsFile {tmp_path / 'none'} {tmp_path / 'pins'}\n"
    )
    (tmp_path / "config").write_text(f"Include {tmp_path / 'more'}\n")
    spec = NodeSpec(name="alpha", address="gpu-1", ssh_config=str(tmp_path / "config"))
    with connect(spec) as node:
        assert node.run(["id", "-un"], timeout_s=10).stdout.strip() == "root"


def test_broken_ssh_config_is_quoted(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("NoSuchKeyword yes\n")
    assert (
        "nosuchkeyword" in refusal(replace(sshd.spec, ssh_config=str(tmp_path / "config"))).lower()
    )


def test_without_an_ssh_program_the_nodespec_is_enough(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    connect(sshd.spec).close()
    said = refusal(replace(sshd.spec, port=free_port()))
    assert "no ssh program here" in said


class Behind:
    """A node that is reached through a jump host, by ssh_config."""

    def __init__(self, make_sshd: MakeSshd, folder: Path) -> None:
        self.jump, self.end = make_sshd(), make_sshd()
        self.pins, self.config = folder / "pins", folder / "config"
        self.pins.write_text(self.jump.known_hosts.read_text() + self.end.known_hosts.read_text())
        self.config.write_text(
            f"Host *\n  UserKnownHostsFile {self.pins}\n  HostName 127.0.0.1\n  User root\n"
            f"  IdentitiesOnly yes\nHost jump\n  Port {self.jump.port}\n"
            f"  IdentityFile {self.jump.key}\nHost end\n  Port {self.end.port}\n"
            f"  IdentityFile {self.end.key}\n  ProxyJump jump\n"
            f"Host round\n  ProxyJump about\nHost about\n  ProxyJump round\n"
            f"Host piped\n  Port {self.end.port}\n  IdentityFile {self.end.key}\n"
            f"  ProxyCommand ssh -F {self.config} -W %h:%p jump\n"
        )
        self.spec = NodeSpec(name="alpha", address="end", ssh_config=str(self.config))


@pytest.fixture
def behind(make_sshd: MakeSshd, tmp_path: Path) -> Behind:
    return Behind(make_sshd, tmp_path)


def test_proxyjump_leads_to_the_node(behind: Behind) -> None:
    with connect(behind.spec) as node:
        assert node.run(["sh", "-c", "echo $HOME"], timeout_s=10).stdout.strip() == str(
            behind.end.home
        )
        assert "lease" not in node.leash().lost


def test_nodes_behind_one_jump_host_share_its_transport(behind: Behind) -> None:
    def logins() -> int:
        return len(children(behind.jump.process.pid))

    with connect(behind.spec) as first:
        with connect(replace(behind.spec, name="beta")):
            assert logins() == 1
        assert first.run(["echo", "on"], timeout_s=10).stdout == "on\n"
    assert until(lambda: logins() == 0, 5)


def test_jump_host_with_an_unknown_key_is_not_passed(behind: Behind) -> None:
    behind.pins.write_text(behind.end.known_hosts.read_text())
    said = refusal(behind.spec, HostKeyError)
    assert fingerprint(behind.jump.host_keys[0]) in said
    assert "enroll jump" in said


def test_node_behind_a_jump_host_is_verified_too(behind: Behind) -> None:
    behind.pins.write_text(behind.jump.known_hosts.read_text())
    assert fingerprint(behind.end.host_keys[0]) in refusal(behind.spec, HostKeyError)


def test_jump_host_that_cannot_reach_the_node_is_named(behind: Behind) -> None:
    behind.end.stop()
    assert "jump host jump cannot reach" in refusal(behind.spec)


def test_proxyjump_circle_is_shown(behind: Behind) -> None:
    with pytest.raises(SshError, match="circle: round -> about -> round"):
        connect(replace(behind.spec, address="round"))


def test_proxycommand_is_used(behind: Behind) -> None:
    with connect(replace(behind.spec, address="piped")) as node:
        assert node.run(["echo", "here"], timeout_s=10).stdout == "here\n"


# -- doors -------------------------------------------------------------------------------------


@contextlib.contextmanager
def door(path: Path, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                peer, _ = listener.accept()
                with peer:
                    answer(peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(5)


def test_door_hands_out_the_connection(sshd: Sshd, tmp_path: Path) -> None:
    def answer(peer: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", sshd.port)) as inner:
            socket.send_fds(peer, [b"+"], [inner.fileno()])

    spec = replace(sshd.spec, address="198.18.0.2", port=0, door=str(tmp_path / "door"))
    sshd.known_hosts.write_text(f"198.18.0.2 {public(sshd.host_keys[0])}\n")
    with door(tmp_path / "door", answer), connect(spec) as node:
        assert node.run(["echo", "in"], timeout_s=10).stdout == "in\n"


def test_door_that_has_no_connection_says_why(sshd: Sshd, tmp_path: Path) -> None:
    spec = replace(sshd.spec, door=str(tmp_path / "door"))
    with door(tmp_path / "door", lambda peer: peer.sendall(b"-the node is down")):
        with pytest.raises(SshError, match=r"door gave no connection: the node is down"):
            connect(spec)


def test_closed_door_is_named(sshd: Sshd) -> None:
    with pytest.raises(SshError, match="/no/such/door"):
        connect(replace(sshd.spec, door="/no/such/door"))


# -- provisioning ------------------------------------------------------------------------------


def ready(sshd: Sshd) -> NodeSpec:
    """The node with a python that has psutil and numpy."""
    return replace(sshd.spec, python=sys.executable)


def test_code_is_pushed_once_and_runs(sshd: Sshd) -> None:
    with connect(ready(sshd)) as node:
        code = Path(node.provision())
    pushed = os.stat(code / "harness" / "errors.py").st_ino
    with connect(ready(sshd)) as node:
        assert node.provision() == str(code)
        imported = "import harness.plan, harness.evidence; print(harness.__file__)"
        ran = node.run(["env", f"PYTHONPATH={code}", sys.executable, "-c", imported], timeout_s=20)
    assert ran.stdout.strip() == str(code / "harness" / "__init__.py"), ran.stderr
    assert os.stat(code / "harness" / "errors.py").st_ino == pushed
    assert os.listdir(code.parent) == [code.name]
    assert not (code / "harness" / "nodes").exists()


def test_older_code_is_kept_only_so_long(sshd: Sshd) -> None:
    cache = sshd.home / ".cache" / "tcpx-harness"
    for age in range(6):
        (cache / f"old{age}").mkdir(parents=True)
        os.utime(cache / f"old{age}", (1000 - age, 1000 - age))
    with connect(ready(sshd)) as node:
        code = Path(node.provision())
    assert sorted(os.listdir(cache)) == sorted([code.name, *(f"old{age}" for age in range(KEPT))])


def lacking(folder: Path, body: str) -> str:
    """A python that has no modules of ours."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    return str(python)


def test_missing_modules_are_named_with_the_repair(sshd: Sshd, tmp_path: Path) -> None:
    python = lacking(tmp_path, 'exec /usr/bin/python3 -I -S "$@"')
    with connect(replace(sshd.spec, python=python)) as node:
        with pytest.raises(ProvisionError) as caught:
            node.provision()
    said = str(caught.value)
    assert said.startswith(f"alpha: {python} lacks psutil and numpy")
    assert f"root@127.0.0.1 {python} -m pip install psutil numpy" in said
    assert f"ssh -F /dev/null -p {sshd.port}" in said
    assert "sudo apt-get install -y python3-psutil python3-numpy" in said
    assert not (sshd.home / ".cache").exists()


def test_old_python_is_named(sshd: Sshd, tmp_path: Path) -> None:
    said = '{"python": [3, 8], "missing": {}, "code": "/x", "have": false}'
    with connect(replace(sshd.spec, python=lacking(tmp_path, f"echo '{said}'"))) as node:
        with pytest.raises(ProvisionError, match=r"is Python 3\.8; expected at least 3\.10"):
            node.provision()


def test_absent_python_is_named(sshd: Sshd) -> None:
    with connect(replace(sshd.spec, python="python9")) as node:
        with pytest.raises(ProvisionError, match=r"python9 does not run: .*apt-get install"):
            node.provision()
        with pytest.raises(NodeError, match=r"leash is lost: .*python9"):
            node.leash()


def test_home_that_cannot_be_written_is_named(sshd: Sshd) -> None:
    (sshd.home / ".cache").write_text("a file where the folder should be")
    with connect(ready(sshd)) as node:
        with pytest.raises(ProvisionError, match="cannot be unpacked"):
            node.provision()


# -- enroll ------------------------------------------------------------------------------------


def enrolled(*words: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    enroll.add_arguments(parser)
    return enroll.run(parser.parse_args([*words, "--ssh-config", "/dev/null"]))


def test_enroll_pins_what_connect_then_accepts(
    sshd: Sshd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, pins = without_pin(sshd.spec, tmp_path), str(tmp_path / "nobody")
    refusal(spec, HostKeyError)
    assert enrolled(f"127.0.0.1:{sshd.port}", "--known-hosts", pins, "--yes") == 0
    assert fingerprint(sshd.host_keys[0]) in capsys.readouterr().out
    assert os.stat(pins).st_mode & 0o777 == 0o600
    connect(spec).close()
    assert enrolled(f"127.0.0.1:{sshd.port}", "--known-hosts", pins, "--yes") == 0
    assert len(Path(pins).read_text().splitlines()) == 1


def test_enroll_asks_and_takes_no_for_an_answer(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "nobody"
    answers = queue.SimpleQueue[str]()
    for answer in ("", "no", "y"):
        answers.put(answer)
    monkeypatch.setattr("builtins.input", lambda _: answers.get())
    words = (f"127.0.0.1:{sshd.port}", "--known-hosts", str(pins))
    assert [enrolled(*words), enrolled(*words)] == [1, 1]
    assert not pins.exists()
    assert enrolled(*words) == 0
    assert pins.exists()


def test_enroll_refuses_a_changed_key_unless_told_to_replace_it(
    sshd: Sshd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = make_key(tmp_path / "old")
    other = f"elsewhere {public(old)}"
    sshd.known_hosts.write_text(f"{sshd.name},alias {public(old)}\n{other}\n")
    before = sshd.known_hosts.read_text()
    words = (f"127.0.0.1:{sshd.port}", "--known-hosts", str(sshd.known_hosts), "--yes")
    assert enrolled(*words) == 1
    said = capsys.readouterr().out
    assert fingerprint(old) in said
    assert fingerprint(sshd.host_keys[0]) in said
    assert sshd.known_hosts.read_text() == before
    assert enrolled(*words, "--replace") == 0
    connect(sshd.spec).close()
    assert other in sshd.known_hosts.read_text()
    assert f"alias {public(old)}" in sshd.known_hosts.read_text()


def test_enroll_says_which_host_cannot_be_reached(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert enrolled(f"127.0.0.1:{port}", "--yes") == 2
    assert "refused the connection" in capsys.readouterr().out


def test_enroll_needs_no_account_on_the_node(sshd: Sshd, tmp_path: Path) -> None:
    (sshd.folder / "authorized").write_text("")
    pins = str(tmp_path / "nobody")
    assert (
        enrolled(f"{getpass.getuser()}@127.0.0.1:{sshd.port}", "--known-hosts", pins, "--yes") == 0
    )
