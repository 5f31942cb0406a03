"""The embedded testbed, for real: what its nodes are, and that it cannot leak."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from errno import ECONNREFUSED
from pathlib import Path

import pytest

from harness.errors import TestbedError
from harness.inventory import TestbedSpec, load
from harness.nodes.door import receive
from harness.testbed import Testbed, up
from harness.testbed.filesystem import home

pytestmark = pytest.mark.selftest

# Whoever is started in the background ignores Ctrl-C, and so would what it starts.
HEEDING = ("env", "--default-signal=INT")
CODE = Path(__file__).parents[2]
GONE_S = 5.0
SSH_S = 30.0


@pytest.fixture(scope="module")
def testbed() -> Iterator[Testbed]:
    with up(TestbedSpec()) as made:
        yield made


def ssh(testbed: Testbed, node: str, command: str, *options: str) -> str:
    """What plain ssh prints."""
    argv = ["ssh", "-F", str(testbed.ssh_config), *options, node, command]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=SSH_S, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def names(testbed: Testbed) -> list[str]:
    return [node.name for node in testbed.inventory.nodes]


def eventually(check: Callable[[], object], what: str, within_s: float = GONE_S) -> None:
    """Poll until `check` says true."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


# What a node is


def test_plain_ssh_reaches_every_node_by_its_name(testbed: Testbed) -> None:
    assert [ssh(testbed, name, "hostname").strip() for name in names(testbed)] == [
        "node-a",
        "node-b",
    ]


def test_ssh_enters_a_node_by_its_management_nic(testbed: Testbed) -> None:
    source, _, target, port = ssh(testbed, "node-b", "echo $SSH_CONNECTION").split()
    assert (source, target, port) == ("198.18.0.254", "198.18.0.2", "22")


def test_a_node_with_another_host_key_is_refused(testbed: Testbed, tmp_path: Path) -> None:
    first, second = Path(testbed.inventory.nodes[0].known_hosts).read_text().splitlines()
    swapped = tmp_path / "known_hosts"
    host, key = second.split()[0], " ".join(first.split()[1:])
    swapped.write_text(f"{host} {key}\n")
    argv = [
        "ssh",
        "-F",
        str(testbed.ssh_config),
        "-o",
        f"UserKnownHostsFile={swapped}",
        "node-b",
        "id",
    ]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=SSH_S, check=False)
    assert ran.returncode == 255
    assert "Host key verification failed" in ran.stderr


def test_a_terminal_and_file_transfer_work(testbed: Testbed, tmp_path: Path) -> None:
    assert ssh(testbed, "node-a", "tty", "-tt").strip() == "/dev/pts/0"
    (tmp_path / "sent").write_text("payload")
    scp = ["scp", "-q", "-F", str(testbed.ssh_config)]
    subprocess.run([*scp, tmp_path / "sent", "node-a:got"], check=True, timeout=SSH_S)
    assert ssh(testbed, "node-a", "cat ~/got; rm ~/got") == "payload"


def test_a_login_finds_programs_and_libraries_where_this_machine_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/a driver/lib64")
    with up(TestbedSpec(rails=1)) as testbed:
        seen = ssh(testbed, "node-b", 'echo "$PATH"; echo "$LD_LIBRARY_PATH"').splitlines()
    assert seen[0].startswith("/usr/local/sbin:")
    assert f"{sys.prefix}/bin" in seen[0].split(":")
    assert seen[1] == "/opt/a driver/lib64"


def test_the_nics_are_there_as_stated_and_no_others(testbed: Testbed) -> None:
    for number, node in enumerate(testbed.inventory.nodes, 1):
        seen = {nic["ifname"]: nic for nic in json.loads(ssh(testbed, node.name, "ip -j addr"))}
        assert sorted(seen) == ["eth0", *node.nic_names, "lo"]
        for rail, name in enumerate(("eth0", *node.nic_names)):
            nic = seen[name]
            assert nic["mtu"] == (9000 if rail else 1500)
            assert nic["operstate"] == "UP"
            assert [a["local"] for a in nic["addr_info"]] == [f"198.18.{rail}.{number}"]


def test_sysfs_and_proc_show_the_nodes_own_nics(testbed: Testbed) -> None:
    seen = ssh(testbed, "node-a", "ls /sys/class/net; cut -d: -f1 -s /proc/net/dev").split()
    assert sorted(set(seen)) == ["eth0", "eth1", "eth2", "eth3", "eth4", "lo"]
    assert ssh(testbed, "node-a", "cat /proc/1/comm; hostname -f").split()[1] == "node-a"


def test_ipv6_is_off_in_every_namespace(testbed: Testbed) -> None:
    for pid in testbed.pids.values():
        table = Path(f"/proc/{pid}/net/if_inet6")
        assert not table.exists() or table.read_text() == ""


def test_routes_use_cubic_for_data_and_quick_acks_for_ssh(testbed: Testbed) -> None:
    for name in names(testbed):
        routes = {line.split()[2]: line for line in ssh(testbed, name, "ip route").splitlines()}
        assert "quickack 1" in routes.pop("eth0")
        assert len(routes) == 4
        assert all("congctl cubic" in route for route in routes.values())


def qdiscs(pid: int) -> dict[str, dict[str, object]]:
    argv = ["nsenter", "-n", "-t", str(pid), "tc", "-j", "qdisc"]
    listed = subprocess.run(argv, capture_output=True, check=True, timeout=SSH_S).stdout
    return {q["dev"]: q for q in json.loads(listed) if q["kind"] == "tbf"}


def test_both_ends_of_every_data_link_are_shaped(testbed: Testbed) -> None:
    fabric, *nodes = testbed.pids.values()
    assert sorted(qdiscs(fabric)) == sorted(f"p{n}.{r}" for n in (0, 1) for r in (1, 2, 3, 4))
    for pid in nodes:
        assert sorted(qdiscs(pid)) == ["eth1", "eth2", "eth3", "eth4"]
    for pid in (fabric, *nodes):
        for shaper in qdiscs(pid).values():
            options = shaper["options"]
            assert isinstance(options, dict)
            assert options["rate"] == 125_000_000
            assert 0.99 < options["burst"] / (256 * 1024) <= 1
            assert round(options["lat"], -3) == 50_000


RECEIVE = """
import socket, time
with socket.create_server(("198.18.1.2", 9100)) as door:
    print("ready", flush=True)
    peer, _ = door.accept()
peer.settimeout(20)
size, started = len(peer.recv(1 << 20)), time.monotonic()
while more := len(peer.recv(1 << 20)):
    size += more
print(size * 8 / (time.monotonic() - started) / 1e9)
"""
SEND = """
import socket
with socket.create_connection(("198.18.1.2", 9100), 10) as peer:
    for _ in range(40):
        peer.sendall(bytes(1 << 20))
"""


def test_a_data_link_carries_its_rate_and_no_more(testbed: Testbed) -> None:
    python = testbed.inventory.nodes[0].python
    argv = ["ssh", "-F", str(testbed.ssh_config), "node-b", python, "-c", f"'{RECEIVE}'"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "ready\n"
        ssh(testbed, "node-a", f"{python} -c '{SEND}'")
        rate_gbit_s = float(receiver.stdout.readline())
    assert 0.6 < rate_gbit_s < 1.02


def test_monotonic_clocks_differ_by_what_was_asked(testbed: Testbed) -> None:
    command = f"{sys.executable} -c 'import time; print(time.monotonic())'"
    ahead = [float(ssh(testbed, name, command)) - time.monotonic() for name in names(testbed)]
    assert ahead[0] == pytest.approx(0, abs=60)
    assert ahead[1] == pytest.approx(86400, abs=60)


def test_the_stated_python_runs_there_with_what_roles_need(testbed: Testbed) -> None:
    python = testbed.inventory.nodes[0].python
    assert ssh(testbed, "node-a", f"{python} -c 'import numpy, psutil; print(7)'") == "7\n"


def test_a_file_of_one_node_is_nowhere_else(testbed: Testbed) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    places = [f"{place}/{mark}" for place in ("~", "/tmp", "/run", "/dev/shm")]
    ssh(testbed, "node-a", f"touch {' '.join(places)} && ls {' '.join(places)}")
    assert ssh(testbed, "node-b", f"ls {' '.join(places)} 2>/dev/null || true") == ""
    assert [place for place in places if os.path.exists(os.path.expanduser(place))] == []


def test_nothing_of_the_machine_can_be_written(testbed: Testbed) -> None:
    places = " ".join(["/", "/etc", "/usr/bin", "/var/tmp", sys.prefix, sys.base_prefix])
    attempt = f"for p in {places}; do touch $p/x 2>/dev/null && echo $p; done; touch ~/x && echo ~"
    assert ssh(testbed, "node-a", attempt).split() == [home()]
    mounts = [line.split() for line in ssh(testbed, "node-a", "cat /proc/mounts").splitlines()]
    writable = {kind for _, _, kind, options, *_ in mounts if options.startswith("rw")}
    assert writable == {"tmpfs", "proc", "devpts"}


def test_the_inventory_file_says_the_same_as_the_inventory(testbed: Testbed) -> None:
    loaded = load(testbed.inventory_file)
    assert loaded.nodes == testbed.inventory.nodes
    assert loaded.tier == testbed.inventory.tier == "testbed"


def test_gpus_are_stated_two_a_nic(testbed: Testbed) -> None:
    pairs = [(gpu.index, gpu.nic, gpu.numa) for gpu in testbed.inventory.nodes[1].gpus]
    assert pairs[:4] == [(0, "eth1", 0), (1, "eth1", 0), (2, "eth2", 0), (3, "eth2", 0)]
    assert pairs[4:] == [(4, "eth3", 1), (5, "eth3", 1), (6, "eth4", 1), (7, "eth4", 1)]


# Other shapes, and ends


def test_another_shape_is_built_as_asked() -> None:
    spec = TestbedSpec(nodes=3, rails=2, gpus=0, rate_gbit_s=0, mtu=1500, clock_skew_s=0)
    with up(spec) as testbed:
        assert names(testbed) == ["node-a", "node-b", "node-c"]
        # Refused: the other node answered, over a rail, though nobody listens there.
        probe = 'import socket; print(socket.socket().connect_ex(("198.18.2.1", 9)))'
        assert ssh(testbed, "node-c", f"{sys.executable} -c '{probe}'") == f"{ECONNREFUSED}\n"
        assert all(qdiscs(pid) == {} for pid in testbed.pids.values())


def test_a_testbed_is_up_in_two_seconds_and_down_at_once() -> None:
    started = time.monotonic()
    testbed = up(TestbedSpec())
    risen = time.monotonic()
    inside = list(testbed.pids.values())
    testbed.close()
    testbed.close()  # twice is allowed
    ended = time.monotonic()
    assert not any(Path(f"/proc/{pid}").exists() for pid in inside)
    assert risen - started < 2.0, "slow to rise"
    assert ended - risen < 1.0, "slow to end"


def test_two_testbeds_do_not_meet(testbed: Testbed) -> None:
    with up(TestbedSpec(rails=1)) as other:
        assert ssh(other, "node-a", "ls /sys/class/net").split() == ["eth0", "eth1", "lo"]
        assert len(ssh(testbed, "node-a", "ls /sys/class/net").split()) == 6


def test_killing_a_nodes_first_process_takes_down_that_node_alone() -> None:
    with up(TestbedSpec(rails=1)) as testbed:
        victim = testbed.pids["node-b"]
        ssh(testbed, "node-b", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &")
        tree = inhabitants({os.readlink(f"/proc/{victim}/ns/pid")})
        assert len(tree) > 2
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not alive(tree), "node-b is empty")
        assert ssh(testbed, "node-a", "hostname") == "node-a\n"
        with pytest.raises(Exception, match=r"198\.18\.0\.2:22"):
            receive(testbed.inventory.nodes[1].door, 10.0)


# What cannot leak


Identity = tuple[int, str]  # pid and start time


@dataclass
class Controller:
    """A process that makes a testbed, marked so that its offspring can be told from others'."""

    process: subprocess.Popen[str]
    mark: str

    def offspring(self) -> set[int]:
        """Every process that was started with the mark in its environment."""
        return {pid for pid in all_pids() if self.mark.encode() in environment(pid)}

    def tree(self) -> set[Identity]:
        """All that lives in its namespaces now: sessions have no mark."""
        spaces = {link for pid in self.offspring() for link in spaces_of(pid)}
        return inhabitants(spaces - spaces_of(os.getpid()))


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def environment(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def spaces_of(pid: int) -> set[str]:
    found = set()
    for kind in ("net", "mnt", "pid", "uts", "ipc"):
        with suppress(OSError):
            found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return found


def inhabitants(spaces: set[str]) -> set[Identity]:
    return {identity(pid) for pid in all_pids() if spaces & spaces_of(pid)}


def identity(pid: int) -> Identity:
    """The kernel soon gives pids, and the numbers of namespaces too, to others."""
    with suppress(OSError):
        return pid, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return pid, "ended"


def alive(tree: set[Identity]) -> set[Identity]:
    return {one for one in tree if one[1] != "ended" and identity(one[0]) == one}


def machine() -> dict[str, set[str]]:
    """What a leak would show in: interfaces, mounts, files."""
    return {
        "interfaces": set(os.listdir("/sys/class/net")),
        "mounts": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "files": {
            f"{place}/{name}" for place in ("/run", "/dev/shm") for name in os.listdir(place)
        },
    }


RISE = """
import sys, time
from harness.inventory import TestbedSpec
from harness.testbed import up
with up(TestbedSpec()) as testbed:
    print(testbed.ssh_config, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Callable[..., Controller]]:
    """Starts controllers in folders of their own; afterwards the machine must be as before."""
    before, started = machine(), []

    def start(*argv: str, **options: object) -> Controller:
        for name in ("home", "tmp"):
            (tmp_path / name).mkdir(exist_ok=True)
        mark = f"HIL_TEST_MARK={uuid.uuid4().hex}"
        own = {"HOME": f"{tmp_path}/home", "TMPDIR": f"{tmp_path}/tmp", "PYTHONPATH": str(CODE)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **options}
        process = subprocess.Popen(  # type: ignore[call-overload]
            [*HEEDING, sys.executable, *argv],
            text=True,
            cwd=tmp_path,
            env={**os.environ, **own, **dict([mark.split("=")])},
            **pipes,
        )
        started.append(process)
        return Controller(process, mark)

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=GONE_S)
    for what, had in before.items():
        eventually(lambda what=what, had=had: machine()[what] <= had, f"no new {what}")  # type: ignore[misc]
    assert [file for name in ("home", "tmp") for file in (tmp_path / name).glob("*")] == []


def assert_nothing_is_left(controller: Controller, tree: set[Identity]) -> None:
    eventually(lambda: not controller.offspring(), "no process of the testbed is left")
    eventually(lambda: not alive(tree), "no process in its namespaces is left")


def test_a_killed_controller_leaves_nothing_while_nodes_are_busy(
    control: Callable[..., Controller],
) -> None:
    controller = control("-c", RISE)
    assert controller.process.stdout is not None
    config = controller.process.stdout.readline().strip()
    stubborn = "trap '' HUP TERM INT; setsid sleep 1000 & sleep 1000"
    with subprocess.Popen(["ssh", "-F", config, "node-b", stubborn]) as session:
        # Two processes each for fabric and nodes, two sshd; then the session's sshd, shell, sleeps.
        eventually(lambda: len(controller.tree()) >= 12, "the session is there", SSH_S)
        tree = controller.tree()
        controller.process.kill()
        assert_nothing_is_left(controller, tree)
        assert session.wait(SSH_S) == 255


@pytest.mark.parametrize("part", range(8))
def test_a_controller_killed_while_it_builds_leaves_nothing(
    control: Callable[..., Controller], part: int
) -> None:
    moment_s = random.uniform(part, part + 1) / 8 * 1.2
    print(f"killed after {moment_s:.3f} s")
    controller = control("-c", RISE)
    time.sleep(moment_s)  # not to wait for something: to be early, or in the middle, or late
    tree = controller.tree()
    controller.process.kill()
    assert_nothing_is_left(controller, tree)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGKILL, -9)],
)
def test_the_command_leaves_nothing_whatever_ends_it(
    control: Callable[..., Controller], number: int, status: int
) -> None:
    controller = control("-m", "harness", "testbed", "--rails", "2")
    assert controller.process.stdout is not None
    first = controller.process.stdout.readline()
    argv = [*first.split()[2:], "hostname"]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=SSH_S, check=False)
    assert ran.stdout == "node-a\n", "the line that it printed can be pasted"
    tree = controller.tree()
    controller.process.send_signal(number)
    assert controller.process.wait(SSH_S) == status
    assert_nothing_is_left(controller, tree)


def test_the_command_ends_with_its_input(control: Callable[..., Controller]) -> None:
    controller = control("-m", "harness", "testbed", "--rails", "1")
    said, _ = controller.process.communicate("", timeout=SSH_S)
    assert said.splitlines()[-1].startswith("export HIL_NODES=/proc/")
    assert controller.process.returncode == 0
    assert_nothing_is_left(controller, set())


def test_the_command_opens_a_shell_that_knows_the_nodes(
    control: Callable[..., Controller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    ours, theirs = pty.openpty()
    controller = control("-m", "harness", "testbed", "--rails", "1", stdin=theirs)
    os.write(ours, b'echo "nodes are in $HIL_NODES"; exit\n')
    said, _ = controller.process.communicate(timeout=SSH_S)
    os.close(ours)
    os.close(theirs)
    assert "nodes are in /proc/" in said
    assert controller.process.returncode == 0


def test_a_killed_command_takes_its_shell_along(
    control: Callable[..., Controller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    ours, theirs = pty.openpty()
    controller = control("-m", "harness", "testbed", "--rails", "1", stdin=theirs)
    os.write(ours, b"echo shell is $$\n")
    assert controller.process.stdout is not None
    assert any(
        line.startswith("shell is ") for line in iter(controller.process.stdout.readline, "")
    )
    controller.process.kill()
    assert_nothing_is_left(controller, set())
    os.close(ours)
    os.close(theirs)


# What is missing


def test_without_root_it_says_so() -> None:
    code = (
        "import os; from harness.testbed import up; from harness.inventory import TestbedSpec\n"
        "os.setuid(65534)\nup(TestbedSpec())"
    )
    assert complaint([sys.executable, "-c", code]) == (
        "harness.errors.TestbedError: the testbed cannot be built: "
        "root: user id 65534, not 0. Run it as root (sudo)"
    )


def test_without_sshd_it_says_how_to_get_it() -> None:
    assert complaint(with_sshd("/dev/null")) == (
        "harness.errors.TestbedError: the testbed cannot be built: "
        "sshd: no sshd on PATH or in /usr/sbin. Run: python -m harness doctor --install"
    )


def test_a_node_that_cannot_come_up_gives_its_own_words() -> None:
    said = complaint(with_sshd("/bin/false"))
    assert "testbed: node-a ended: sshd ended with 1" in said
    assert "Run: python -m harness doctor" in said


def with_sshd(instead: str) -> list[str]:
    """The command that builds a testbed on a machine whose sshd is another file."""
    code = "import harness.testbed as t, harness.inventory as i; t.up(i.TestbedSpec())"
    script = f'mount --bind {instead} $(command -v sshd) && exec "$0" -c "{code}"'
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, sys.executable]


def complaint(argv: list[str]) -> str:
    """The error that a command ends with, in one line."""
    ran = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=SSH_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(CODE)},
    )
    assert ran.returncode == 1
    return " ".join(ran.stderr[ran.stderr.index("harness.errors.") :].split())


def test_only_the_main_thread_may_build_one() -> None:
    caught: list[BaseException] = []

    def attempt() -> None:
        try:
            up(TestbedSpec())
        except TestbedError as error:
            caught.append(error)

    thread = threading.Thread(target=attempt, name="other")
    thread.start()
    thread.join()
    assert "up() was called from thread 'other'; expected the main thread" in str(caught[0])


def test_mounts_become_read_only_on_kernels_without_mount_setattr() -> None:
    code = (
        "from harness.testbed import linux; linux.unshare(linux.NEWNS);"
        "linux.mount('none', '/', flags=linux.REC | linux.PRIVATE); linux._remount_each('/');"
        "print(open('/proc/self/mounts').read())"
    )
    argv = [sys.executable, "-c", code]
    mounts = subprocess.run(
        argv, capture_output=True, text=True, check=True, timeout=SSH_S, cwd=CODE
    ).stdout
    # The last one mounted in a place is the one that can be written to.
    last = {line.split()[1]: line.split()[3] for line in mounts.splitlines() if line}
    assert "/" in last
    assert [place for place, options in last.items() if not options.startswith("ro")] == []
