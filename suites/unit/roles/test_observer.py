"""The observer as its leash runs it: a real process, commands in, records out."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from harness.errors import NodeError
from harness.evidence import (
    ExchangePlanned,
    GpuHealth,
    GpuLoad,
    GpuPlace,
    NicCounters,
    Note,
    RoleFailed,
    RoleStarted,
    SocketsSeen,
    decode,
)
from harness.nic.counters import moved
from harness.plan import Plan
from harness.roles.observer import SOCKETS_FREE_S, SOCKETS_S, Budget, Commands, _say
from harness.verdict.exchange import Exchange
from harness.verdict.gpu import gpu
from harness.verdict.gpu_clocks import throttled
from harness.verdict.gpu_users import left, strangers
from suites.unit.nic.machines import BURN, HELD_MIB, MADE, RealMachine
from suites.unit.verdict.clean import entries_of

ANSWER_S = 20.0


class Observed:
    """One observer process, and the records that it has said."""

    def __init__(self, *arguments: str, within: tuple[str, ...] = (), **environ: str) -> None:
        self.process = subprocess.Popen(
            [*within, sys.executable, "-m", "harness.roles.observer", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # select must see every line that has not been read
            env={**os.environ, **environ},
        )
        self.records = []

    def tell(self, **command: object) -> None:
        self.write(json.dumps(command).encode() + b"\n")

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)

    def read(self):
        """The next record, None when there is no more."""
        assert select.select([self.process.stdout], [], [], ANSWER_S)[0], self.records
        line = self.process.stdout.readline()
        if not line:
            return None
        self.records.append(decode(json.loads(line)))
        return self.records[-1]

    def until(self, holds) -> list:
        """Records up to and with the first that `holds`."""
        start = len(self.records)
        while (record := self.read()) is not None:
            if holds(record):
                return self.records[start:]
        raise AssertionError(f"it ended: {self.process.stderr.read()} {self.records}")

    def until_note(self, text: str) -> list:
        return self.until(lambda record: isinstance(record, Note) and record.text == text)

    def end(self) -> int:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        while self.read() is not None:
            pass
        return self.process.wait(ANSWER_S)

    def close(self) -> None:
        self.process.kill()
        with self.process:  # closes the pipes
            pass


@pytest.fixture
def observer():
    seen = Observed("a", "eth1,eth2", "eth0")
    yield seen
    seen.close()


@pytest.fixture
def pair():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as near:
            far, _ = server.accept()
            with far:
                yield near, far


def counters(records, phase: str) -> list[NicCounters]:
    return [r for r in records if isinstance(r, NicCounters) and r.phase == phase]


def ports(records) -> set[int]:
    tables = [record for record in records if isinstance(record, SocketsSeen)]
    return {seen.local_port for table in tables for seen in table.sockets}


def sample(record) -> bool:
    return isinstance(record, NicCounters) and record.phase == "sample"


def test_an_exchange_is_framed_by_idle_and_settled_counters(observer, pair):
    near, far = pair
    observer.tell(op="begin", exchange="x1")
    before = observer.until_note("observing x1")
    assert len(counters(before, "idle")) == 2
    first, second = counters(before, "idle")
    assert second.at_s - first.at_s >= 0.06

    near.sendall(b"x" * 50_000)
    assert len(far.recv(50_000, socket.MSG_WAITALL)) == 50_000
    observer.until(sample)
    observer.tell(op="end", exchange="x1")
    after = observer.until_note("observed x1")
    (settled,) = counters(after, "settled")
    assert {nic.name for nic in settled.nics} == {nic.name for nic in second.nics}
    sent = {r: n.bytes_sent for r in (second, settled) for n in r.nics if n.name == "lo"}
    assert sent[settled] - sent[second] >= 50_000
    assert near.getsockname()[1] in ports(before)
    assert {record.node for record in observer.records} == {"a"}


def test_one_observer_serves_many_exchanges(observer):
    for exchange in ("x1", "x2", "x3"):
        observer.tell(op="begin", exchange=exchange)
        observer.until_note(f"observing {exchange}")
        observer.tell(op="end", exchange=exchange)
        said = observer.until_note(f"observed {exchange}")
        assert len(counters(said, "settled")) == 1
    observer.tell(op="quit")
    assert observer.end() == 0


def test_samples_come_twenty_times_a_second_and_name_only_what_moved(observer, pair):
    near, _ = pair
    observer.tell(op="begin", exchange="x1")
    first = counters(observer.until_note("observing x1"), "idle")[-1]
    samples = []
    while len(samples) < 8:
        near.sendall(b"x")
        samples += counters(observer.until(sample), "sample")
    gaps = [b.at_s - a.at_s for a, b in itertools.pairwise(samples)]
    assert 0.02 < sorted(gaps)[len(gaps) // 2] < 0.2
    observer.tell(op="end", exchange="x1")
    last = counters(observer.until_note("observed x1"), "settled")[0]
    still = {nic.name for nic in last.nics} - {nic.name for nic in moved(first, last)}
    named = [{nic.name for nic in reading.nics} for reading in samples]
    assert all("lo" in names for names in named)
    assert not still & set().union(*named)


@pytest.fixture
def with_gpu(tmp_path):
    """An observer on a node whose GPU is what a file says, and that file."""
    file = tmp_path / "gpus.json"
    file.write_text('{"gpus": [{"uuid": "GPU-1"}]}')
    path = f"{Path(__file__).parents[3]}{os.pathsep}{MADE}"
    seen = Observed("a", "eth1", "eth0", PYTHONPATH=path, MADE_NVML=str(file))
    yield seen, file
    seen.close()


def of_gpus(records) -> list:
    return [r for r in records if isinstance(r, (GpuHealth, GpuLoad, GpuPlace))]


def test_gpus_that_are_named_are_read_before_meanwhile_and_after(with_gpu):
    observer, file = with_gpu
    observer.tell(op="begin", exchange="x1", gpus=[0])
    before = of_gpus(observer.until_note("observing x1"))
    assert [type(record) for record in before] == [GpuPlace, GpuHealth, GpuLoad]
    file.write_text('{"gpus": [{"uuid": "GPU-1", "xids": [31], "replays": 4}]}')
    sampled = observer.until(lambda r: isinstance(r, GpuLoad) and r.phase == "sample")[-1]
    assert (sampled.uuid, sampled.xids) == ("GPU-1", (31,))
    assert sampled.at_s - before[-1].at_s >= 1.0
    observer.tell(op="end", exchange="x1")
    load, health = of_gpus(observer.until_note("observed x1"))
    assert (load.phase, health.phase, health.pcie_replays) == ("settled", "settled", 4)


def test_without_gpus_in_the_command_nvml_is_not_touched(with_gpu):
    observer, file = with_gpu
    file.write_text("not even JSON")
    for exchange in ("x1", "x2"):
        observer.tell(op="begin", exchange=exchange)
        observer.until_note(f"observing {exchange}")
        observer.tell(op="end", exchange=exchange)
        observer.until_note(f"observed {exchange}")
    assert of_gpus(observer.records) == []


def test_a_gpu_that_cannot_be_read_is_told_and_the_rest_goes_on(with_gpu):
    observer, _ = with_gpu
    observer.tell(op="begin", exchange="x1", gpus=[5])
    (load,) = of_gpus(observer.until_note("observing x1"))
    assert (load.gpu, load.uuid) == (5, "")
    assert load.trouble == "there is no GPU 5; expected one of the 1 here"
    observer.tell(op="end", exchange="x1")
    after = observer.until_note("observed x1")
    assert len(counters(after, "settled")) == 1
    assert of_gpus(after) == []


def test_sockets_of_ssh_are_not_recorded(pair):
    near, far = pair
    connection = f"127.0.0.1 {near.getsockname()[1]} 127.0.0.1 {far.getsockname()[1]}"
    with contextlib.closing(Observed("a", "eth1", "eth0", SSH_CONNECTION=connection)) as observer:
        observer.tell(op="begin", exchange="x1")
        said = observer.until_note("observing x1")
    assert any(isinstance(record, SocketsSeen) for record in said)
    assert ports(said).isdisjoint({near.getsockname()[1], far.getsockname()[1]})


@pytest.mark.parametrize("commands", [[], [{"op": "begin", "exchange": "x1"}]])
def test_a_closed_stdin_ends_it_at_once(observer, commands):
    for command in commands:
        observer.tell(**command)
        observer.until(sample)
    started = time.monotonic()
    assert observer.end() == 0
    assert time.monotonic() - started < 2.0


def test_quit_ends_it_in_the_middle_of_an_exchange(observer):
    observer.tell(op="begin", exchange="x1")
    observer.until_note("observing x1")
    observer.tell(op="quit")
    assert observer.process.wait(ANSWER_S) == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"hello\n", "is not a command"),
        (b"[1]\n", "expected an op of begin, end or quit"),
        (b'{"op": "dance"}\n', "expected an op of begin, end or quit"),
        (b'{"op": "end"}\n', "told to end; expected begin before end"),
        (b'{"op": "begin"}\n{"op": "begin"}\n', "told to begin"),
        (b"x" * 70_000, "no command among them"),
    ],
)
def test_what_it_cannot_obey_ends_it_with_a_reason(observer, data, said):
    with contextlib.suppress(BrokenPipeError):  # it need not read all of a flood
        observer.write(data)
    failed = observer.until(lambda record: isinstance(record, RoleFailed))[-1]
    assert observer.end() == 1
    assert said in failed.message
    assert (failed.node, failed.role, failed.klass) == ("a", "observer", "REMOTE_PROTOCOL")


def test_wrong_arguments_are_answered_with_usage():
    observer = Observed("a")
    _, errors = observer.process.communicate(timeout=ANSWER_S)
    assert observer.process.returncode == 2
    assert b"usage: " in errors


def test_a_record_is_one_write(monkeypatch):
    """`-u`, or PYTHONUNBUFFERED on a node, makes every write a system call."""
    written = []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=written.append, flush=lambda: None))
    _say(Note(text="x", node="a", role="observer"))
    assert written == ['{"type":"Note","text":"x","node":"a","role":"observer"}\n']


def test_a_pause_keeps_commands_for_later():
    reading, writing = os.pipe()
    try:
        os.write(writing, b'{"op": "end"}\n{"op": "qu')
        commands = Commands(reading)
        commands.pause(0.01)
        assert commands.next(0.0) == {"op": "end"}
        assert commands.next(0.01) is None
        os.write(writing, b'it"}\n')
        assert commands.next(None) == {"op": "quit"}
    finally:
        os.close(reading)
        os.close(writing)


def test_a_pause_ends_when_stdin_does():
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(EOFError):
        Commands(reading).pause(60.0)
    os.close(reading)


def test_tables_are_read_often_at_first_and_then_as_the_budget_allows():
    budget = Budget(100.0)
    assert not budget.allows(100.0 + SOCKETS_S / 2)
    assert budget.allows(100.0 + 2 * SOCKETS_S)
    budget.spend(101.0, 2 * SOCKETS_FREE_S)
    assert not budget.allows(101.0 + 2 * SOCKETS_S)
    assert budget.allows(110.0)


# -- on a real GPU: what the observer says, judged -----------------------------------------------

BURN_S = 4.0


class OnGpu:
    """A role that keeps GPU 0 busy and a stranger that holds memory of it, both real."""

    def __init__(self, *within: str) -> None:
        root = str(Path(__file__).parents[3])  # within, the working directory is another
        self.observer = Observed("alpha", "eth1", "eth0", within=within, PYTHONPATH=root)
        self.observer.tell(op="begin", exchange="x1", gpus=[0])
        self.observer.until_note("observing x1")
        with self._stranger():
            burn = [*within, sys.executable, "-c", BURN.format(seconds=BURN_S)]
            with subprocess.Popen(burn, stdout=subprocess.PIPE, start_new_session=True) as role:
                self.role_pid = int(role.stdout.readline())
        self.observer.tell(op="end", exchange="x1")
        self.observer.until_note("observed x1")
        self.observer.close()

    @contextlib.contextmanager
    def _stranger(self):
        """Always outside, whatever the observer and the role are within."""
        with RealMachine().held() as self.stranger_pid:
            yield

    def exchange(self) -> Exchange:
        """The server is on this GPU; of the client nothing is known."""
        planned = ExchangePlanned(
            test="t",
            server="alpha",
            client="beta",
            plan=Plan(memory="cuda").to_json(),
            nics={},
            tier="testbed-gpu",
            gpus={"server": {"gpu": 0, "nic": "", "numa": -1}},
        )
        started = RoleStarted(node="alpha", role="server", pid=self.role_pid, command=())
        heard = [(float(at), record) for at, record in enumerate(self.observer.records, 2)]
        return Exchange(entries_of([(0.0, planned), (1.0, started), *heard]))


@pytest.fixture
def real_gpu():
    try:
        RealMachine()
    except NodeError as error:
        pytest.skip(f"needs an NVIDIA GPU: {error}")


@pytest.fixture
def container():
    """The command that runs another within a PID namespace, as in a container."""
    if os.geteuid() != 0:
        pytest.skip("only root makes a PID namespace")
    make = ["unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child", "sleep", "99"]
    with subprocess.Popen(make) as outer:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        deadline = time.monotonic() + 5.0
        while not children.read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield ("nsenter", "--target", children.read_text().split()[0], "--pid", "--mount")
        outer.kill()


@pytest.mark.gpu
@pytest.mark.usefixtures("real_gpu")
def test_a_real_role_stranger_and_power_cap_are_told_apart():
    seen = OnGpu()
    exchange = seen.exchange()
    (stranger,) = strangers(exchange)
    assert f"(pid {seen.stranger_pid})" in stranger.who
    assert stranger.memory_bytes > HELD_MIB << 20
    assert left(exchange) == []
    assert {slow.reason for slow in throttled(exchange)} == {"power_cap"}
    found = gpu(exchange)
    assert (found.outcome, found.klass) == ("PASS", "")
    assert any("power cap" in line for line in found.evidence), found.evidence


@pytest.mark.gpu
@pytest.mark.usefixtures("real_gpu")
def test_in_a_container_a_real_stranger_is_memory_that_nobody_accounts_for(container):
    seen = OnGpu(*container)
    loads = [r for r in seen.observer.records if isinstance(r, GpuLoad)]
    assert not any(load.sees_all for load in loads)
    assert {p.pid for load in loads for p in load.processes} == {seen.role_pid}
    (stranger,) = strangers(seen.exchange())
    assert stranger.who == "a process that this node may not see"
    assert stranger.memory_bytes > HELD_MIB << 20


@pytest.mark.gpu
@pytest.mark.usefixtures("real_gpu")
def test_reading_a_real_gpu_keeps_within_the_observers_share(record_property):
    observer = Observed("a", "eth1", "eth0")
    observer.tell(op="begin", exchange="x1", gpus=[0])
    observer.until_note("observing x1")
    cpu_s = psutil.Process(observer.process.pid).cpu_times
    before, began_s = cpu_s(), time.monotonic()
    while time.monotonic() - began_s < 10.0:
        observer.read()
    after = cpu_s()
    observer.close()
    share = (after.user + after.system - before.user - before.system) / 10.0
    record_property("observer_core_share", share)
    print(f"observer with a GPU: {share:.4f} of a core")
    assert share <= 0.02
