"""The leash: whatever happens to whoever, nothing is left running, and why is written down."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness.errors import LeaseError, LeashError, NodeError, RoleError
from harness.nodes import Event, Exited, Leash, Line, Node, Process, connect
from harness.nodes.leash import LINE_BYTES, STREAM_BYTES
from harness.nodes.ssh import Connection
from suites.selftest.sshd import Sshd, alive, until

pytestmark = [
    pytest.mark.selftest,
    pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning"),
]
pytest_plugins = ("suites.selftest.sshd",)
Events = queue.Queue[Event]

# A tree that tries to get away: a child in a session of its own, one that was orphaned as well, and
# one that forgot its environment. It prints the numbers of all four.
TREE = """
sleep 301 & echo $!
setsid sleep 302 & echo $!
sh -c 'setsid sleep 303 & echo $!'
setsid env -i sleep 304 & echo $!
echo $$; wait
"""


@pytest.fixture
def node(sshd: Sshd) -> Iterator[Node]:
    with connect(sshd.spec) as node:
        yield node


@pytest.fixture
def events() -> Events:
    return queue.Queue(100_000)


def heard(events: Events, timeout_s: float = 20.0) -> tuple[list[Line], Exited]:
    """Everything until the last word of one process."""
    lines: list[Line] = []
    end = time.monotonic() + timeout_s
    while True:
        event = events.get(timeout=max(0.0, end - time.monotonic()))
        if isinstance(event, Exited):
            return lines, event
        lines.append(event)


def out(lines: list[Line], stream: str = "out") -> list[str]:
    return [line.text for line in lines if line.stream == stream]


def pids(events: Events, count: int = 5) -> list[int]:
    """The numbers that TREE prints."""
    found = []
    for _ in range(count):
        event = events.get(timeout=10)
        assert isinstance(event, Line)
        found.append(int(event.text))
    assert all(alive(pid) for pid in found)
    return found


def gone(found: list[int], timeout_s: float = 2.0) -> bool:
    """Whether all are dead in time; none survives the test in any case."""
    dead = until(lambda: not any(map(alive, found)), timeout_s)
    for pid in filter(alive, found):
        os.kill(pid, signal.SIGKILL)
    return dead


def notes(sshd: Sshd) -> list[dict[str, object]]:
    path = sshd.home / ".cache" / "tcpx-harness" / "deaths.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def leash_pid(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


# -- a process ---------------------------------------------------------------------------------


def test_process_talks_and_its_death_is_noted(node: Node, sshd: Sshd, events: Events) -> None:
    script = 'read a; echo "got $a $COLOUR"; read b; echo "then $b" >&2; cat >/dev/null; exit 3'
    process = node.leash().start(
        "talker",
        ["sh", "-c", script],
        events=events,
        env={"COLOUR": "blue"},
        deadline_s=30,
        first_line="one",
    )
    process.send("two")
    process.close_stdin()
    lines, last = heard(events)
    assert (out(lines), out(lines, "err")) == (["got one blue"], ["then two"])
    assert {(line.process, line.node) for line in lines} == {("talker", "alpha")}
    record = last.record
    assert (record.node, record.role, record.code, record.reason) == (
        "alpha",
        "talker",
        3,
        "exited",
    )
    assert record.stderr_tail == "then two\n"
    assert record.max_rss_bytes > 0
    assert [(n["name"], n["code"], n["reason"]) for n in notes(sshd)] == [("talker", 3, "exited")]


def test_inventory_environment_reaches_the_process(sshd: Sshd, events: Events) -> None:
    spec = replace(sshd.spec, environment={"NCCL_DEBUG": "INFO", "X": "inventory"})
    with connect(spec) as node:
        script = 'echo "$NCCL_DEBUG $X $HOME"'
        node.leash().start(
            "e", ["sh", "-c", script], events=events, env={"X": "call"}, deadline_s=9
        )
        assert out(heard(events)[0]) == [f"INFO call {sshd.home}"]


def test_cpu_seconds_are_measured(node: Node, events: Events) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    node.leash().start("burner", ["python3", "-c", burn], events=events, deadline_s=30)
    assert 0.3 <= heard(events)[1].record.cpu_s < 3


def test_killed_process_is_told_apart(node: Node, events: Events) -> None:
    node.leash().start("victim", ["sh", "-c", "kill -SEGV $$"], events=events, deadline_s=30)
    record = heard(events)[1].record
    assert (record.code, record.reason) == (-signal.SIGSEGV, "killed")


def test_absent_program_is_refused_and_the_name_stays_free(node: Node, events: Events) -> None:
    leash = node.leash()
    with pytest.raises(LeashError, match=r"alpha: start failed: .*no-such-program"):
        leash.start("x", ["no-such-program"], events=events, deadline_s=5)
    leash.start("x", ["true"], events=events, deadline_s=5)
    assert heard(events)[1].record.code == 0


def test_two_processes_of_one_name_are_refused(node: Node, events: Events) -> None:
    process = node.leash().start("x", ["cat"], events=events, deadline_s=30)
    with pytest.raises(NodeError, match="x is already running"):
        node.leash().start("x", ["cat"], events=events, deadline_s=30)
    process.stop(grace_s=0)


def test_twenty_processes_share_one_channel(node: Node, events: Events) -> None:
    leash = node.leash()
    for i in range(20):
        leash.start(f"r{i}", ["sh", "-c", f"read x; echo {i}"], events=events, deadline_s=30).send(
            ""
        )
    ended = set()
    while len(ended) < 20:
        event = events.get(timeout=20)
        if isinstance(event, Exited):
            ended.add(event.process)
        else:
            assert event.process == f"r{event.text}"


def test_what_is_sent_to_the_dead_is_dropped(node: Node, events: Events) -> None:
    process = node.leash().start("brief", ["true"], events=events, deadline_s=5)
    heard(events)
    process.send("anybody?")
    process.close_stdin()
    assert process.stop().code == 0


# -- stop and deadline -------------------------------------------------------------------------


def test_stop_ends_the_whole_tree(node: Node, events: Events) -> None:
    process = node.leash().start("tree", ["sh", "-c", TREE], events=events, deadline_s=60)
    found = pids(events)
    record = process.stop(grace_s=0)
    assert gone(found)
    assert (record.code, record.reason) == (-9, "stopped")


def test_stop_is_polite_first(node: Node, events: Events) -> None:
    script = "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done"
    process = node.leash().start("polite", ["sh", "-c", script], events=events, deadline_s=60)
    assert events.get(timeout=10)
    record = process.stop(grace_s=5)
    assert (record.code, record.reason) == (5, "stopped")
    assert out(heard(events)[0]) == ["bye"]


def test_stop_does_not_wait_for_the_stubborn(node: Node, events: Events) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    process = node.leash().start("stubborn", ["sh", "-c", script], events=events, deadline_s=60)
    assert events.get(timeout=10)
    begun = time.monotonic()
    assert process.stop(grace_s=0.3).code == -9
    assert time.monotonic() - begun < 4


def test_leftovers_of_a_process_that_ended_are_ended(node: Node, events: Events) -> None:
    node.leash().start("tree", ["sh", "-c", TREE.replace("wait", "")], events=events, deadline_s=60)
    lines, last = heard(events)
    found = [int(text) for text in out(lines)]
    forgetful = found.pop(3)  # an orphan without its mark dies with the leash
    assert last.record.reason == "exited"
    assert gone(found)
    node.close()
    assert gone([forgetful])


def test_deadline_on_the_node_ends_the_tree(node: Node, sshd: Sshd, events: Events) -> None:
    node.leash().start("late", ["sh", "-c", TREE], events=events, deadline_s=1.0)
    found = pids(events)
    record = heard(events)[1].record
    assert gone(found)
    assert (record.code, record.reason) == (-9, "deadline")
    assert notes(sshd)[-1]["reason"] == "deadline"


def test_only_its_own_tree_is_ended(node: Node, events: Events) -> None:
    leash = node.leash()
    other: Events = queue.Queue()
    bystander = leash.start("bystander", ["sh", "-c", TREE], events=other, deadline_s=60)
    spared = pids(other)
    leash.start("tree", ["sh", "-c", TREE], events=events, deadline_s=60).stop(grace_s=0)
    assert all(map(alive, spared))
    bystander.stop(grace_s=0)
    assert gone(spared)


# -- who dies ----------------------------------------------------------------------------------


def test_close_ends_everything(sshd: Sshd, events: Events) -> None:
    with connect(sshd.spec) as node:
        process = node.leash().start("tree", ["sh", "-c", TREE], events=events, deadline_s=60)
        found = [*pids(events), leash_pid(process.pid)]
    assert gone(found, 0.5)
    assert heard(events)[1].record.reason == "stopped"


CONTROLLER = """
import json, queue, sys, time
sys.path[:0] = json.loads(sys.argv[3])
from harness.inventory.spec import NodeSpec
from harness.nodes import Leash, connect
from harness.nodes.ssh import Connection
connection = Connection(NodeSpec(**json.loads(sys.argv[1])), 15.0)
leash, events = Leash(connection, silence_s=float(sys.argv[4])), queue.Queue()
with leash.lease("the controller", wait_s=20):
    process = leash.start("tree", ["sh", "-c", sys.argv[2]], events=events, deadline_s=90)
    found = [int(events.get(timeout=10).text) for _ in range(5)]
    print(json.dumps(found), flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def controller(
    sshd: Sshd, silence_s: float = 10.0
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Another controller, with a tree on its leash and the lease taken."""
    spec = json.dumps(asdict(sshd.spec))
    command = [sys.executable, "-c", CONTROLLER, spec, TREE, json.dumps(sys.path), str(silence_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found: list[int] = json.loads(process.stdout.readline())
        yield process, [*found, leash_pid(found[-1])]
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_killed_controller_leaves_nothing(sshd: Sshd) -> None:
    with controller(sshd) as (process, found):
        process.kill()
        assert gone(found, 2.0)
    assert until(lambda: bool(notes(sshd)), 2)
    assert notes(sshd)[-1]["reason"] == "silence"
    assert "stdin ended" in str(notes(sshd)[-1]["detail"])


def test_silent_controller_leaves_nothing(sshd: Sshd) -> None:
    with controller(sshd, silence_s=1.5) as (process, found):
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        assert all(map(alive, found)), "a short pause is no silence"
        assert gone(found, 4.0)
        assert "no heartbeat for 1.5 s" in str(notes(sshd)[-1]["detail"])


def test_killed_leash_takes_its_processes_along(node: Node, events: Events) -> None:
    process = node.leash().start("cat", ["cat"], events=events, deadline_s=60)
    os.kill(leash_pid(process.pid), signal.SIGKILL)
    assert gone([process.pid])
    last = heard(events)[1].record
    assert (last.code, last.reason) == (-9, "killed")
    assert "lost" in last.stderr_tail


def test_lost_leash_is_an_error_and_the_next_one_works(node: Node, events: Events) -> None:
    leash = node.leash()
    process = leash.start("cat", ["cat"], events=events, deadline_s=60)
    os.kill(leash_pid(process.pid), signal.SIGKILL)
    heard(events)
    with pytest.raises(LeashError, match="alpha: the leash is lost"):
        leash.clock()
    assert node.leash() is not leash
    assert node.leash().clock().node == "alpha"


def test_next_leash_ends_what_a_killed_one_left(node: Node, events: Events) -> None:
    process = node.leash().start("tree", ["sh", "-c", TREE], events=events, deadline_s=60)
    found = pids(events)
    marked = [pid for i, pid in enumerate(found) if i != 3]  # the forgetful one has no mark
    os.kill(leash_pid(process.pid), signal.SIGKILL)
    heard(events)
    assert any(map(alive, marked)), "there should be something left to end"
    node.leash()
    assert gone(marked)
    gone(found)


def test_frozen_leash_is_noticed(sshd: Sshd, events: Events) -> None:
    connection = Connection(sshd.spec, 10.0)
    with contextlib.closing(connection):
        leash = Leash(connection, silence_s=1.0)
        process = leash.start("cat", ["cat"], events=events, deadline_s=60)
        pid = leash_pid(process.pid)
        os.kill(pid, signal.SIGSTOP)
        last = heard(events, 10)[1].record
        assert "said nothing for 1 s" in last.stderr_tail
        os.kill(pid, signal.SIGCONT)
        assert gone([pid, process.pid], 3)


# -- what processes write ----------------------------------------------------------------------


def test_bytes_that_are_no_text_come_as_lines(node: Node, events: Events) -> None:
    script = r"printf 'a\0b\n\377\376\n\303\251\nno newline'"
    node.leash().start("odd", ["sh", "-c", script], events=events, deadline_s=20)
    assert out(heard(events)[0]) == ["a\0b", "\\xff\\xfe", "é", "no newline"]


def test_endless_line_is_cut_and_said_so(node: Node, events: Events) -> None:
    size = 300 * 1024 * 1024
    script = f"head -c {size} /dev/zero; echo; echo after"
    node.leash().start("flood", ["sh", "-c", script], events=events, deadline_s=60)
    lines, last = heard(events, 60)
    assert last.record.code == 0
    first, second = out(lines)
    assert first == "\0" * LINE_BYTES + f" [{size - LINE_BYTES} bytes cut]"
    assert second == "after"


def test_too_many_lines_are_cut_and_counted(node: Node, events: Events) -> None:
    script = "yes 0123456789abcdef | head -c 200000000; echo done >&2"
    node.leash().start("flood", ["sh", "-c", script], events=queue_of(events), deadline_s=60)
    lines, last = heard(events, 60)
    assert last.record.code == 0
    text = out(lines)
    assert sum(map(len, text)) < STREAM_BYTES
    assert set(text) == {"0123456789abcdef"}
    kept = len(text) * 17
    told = f"[leash] {200_000_000 - kept} bytes of stdout were cut"
    assert sorted(out(lines, "err")) == [told, "done"]  # both streams end at the same time


def queue_of(events: Events) -> Events:
    """The same queue, wide enough for a flood."""
    events.maxsize = 0
    return events


def test_both_streams_are_read_at_once(node: Node, events: Events) -> None:
    script = "head -c 3000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo out"
    node.leash().start("both", ["sh", "-c", script], events=events, deadline_s=30)
    lines, _ = heard(events)
    assert out(lines) == ["out"]
    assert out(lines, "err")[0].endswith(f" [{3_000_000 - LINE_BYTES} bytes cut]")


def test_slow_reader_holds_the_writer_and_not_the_memory(node: Node) -> None:
    events: Events = queue.Queue(10)
    process = node.leash().start(
        "flood", ["sh", "-c", "yes 0123456789abcdef"], events=events, deadline_s=60
    )
    leash = leash_pid(process.pid)
    time.sleep(2)
    pages = int(Path(f"/proc/{leash}/statm").read_text().split()[1])
    assert pages * 4096 < 64 * 1024 * 1024
    drain(events, process)


def drain(events: Events, process: Process) -> None:
    """Read on while the process is stopped."""
    stopping = threading.Thread(target=lambda: process.stop(grace_s=0))
    stopping.start()
    heard(events, 30)
    stopping.join(10)


def test_queue_that_nobody_reads_loses_the_leash_not_the_lines(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.nodes.process.TAKEN_S", 0.3)
    events: Events = queue.Queue(2)
    node.leash().start("flood", ["sh", "-c", "seq 9; cat"], events=events, deadline_s=60)
    assert until(lambda: bool(events.queue) and isinstance(events.queue[-1], Exited), 5)
    assert node._leash
    assert node._leash.lost
    last = [events.get_nowait() for _ in range(2)][-1]
    assert isinstance(last, Exited)
    assert "nobody took its events" in last.record.stderr_tail


def test_stdin_that_nobody_reads_is_refused_at_last(node: Node, events: Events) -> None:
    process = node.leash().start("deaf", ["sleep", "60"], events=events, deadline_s=60)
    for _ in range(5):
        process.send("x" * 1_000_000)
    with pytest.raises(LeashError, match="deaf does not read its stdin"):
        process.send("x")
    process.stop(grace_s=0)


def test_death_notes_are_kept_within_bounds(node: Node, sshd: Sshd, events: Events) -> None:
    path = sshd.home / ".cache" / "tcpx-harness" / "deaths.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f'{{"name": "old{i}"}}\n' for i in range(250)))
    node.leash().start("new", ["true"], events=events, deadline_s=9)
    heard(events)
    names = [note["name"] for note in notes(sshd)]
    assert (len(names), names[0], names[-1]) == (200, "old51", "new")


# -- clock and lease ---------------------------------------------------------------------------


def test_clock_of_the_same_machine_agrees_within_its_bound(node: Node) -> None:
    clock = node.leash().clock()
    assert 0 < clock.bound_s < 0.05
    assert abs(clock.offset_s) <= clock.bound_s


def test_two_leases_exclude_each_other(sshd: Sshd) -> None:
    with connect(sshd.spec) as first, connect(sshd.spec) as second:
        with first.leash().lease("run 1, worker a", wait_s=20):
            begun = time.monotonic()
            with pytest.raises(
                LeaseError, match=r"alpha: .*run 1, worker a \(pid \d+ there\) since"
            ):
                with second.leash().lease("run 2", wait_s=0.4):
                    pass
            assert 0.4 <= time.monotonic() - begun < 3
        with second.leash().lease("run 2", wait_s=5) as taken:
            assert (taken.node, taken.waited_s < 1) == ("alpha", True)


def test_one_leash_takes_the_lease_once(node: Node) -> None:
    with node.leash().lease("first", wait_s=20):
        with pytest.raises(LeaseError, match="first"):
            with node.leash().lease("second", wait_s=0):
                pass


def test_waiter_gets_the_lease_when_it_is_released(sshd: Sshd) -> None:
    with connect(sshd.spec) as first, connect(sshd.spec) as second:
        with first.leash().lease("first", wait_s=20):
            got: queue.Queue[float] = queue.Queue()

            def wait() -> None:
                with second.leash().lease("second", wait_s=20) as taken:
                    got.put(taken.waited_s)

            thread = threading.Thread(target=wait)
            thread.start()
            time.sleep(0.5)
            assert got.empty()
        assert 0.3 < got.get(timeout=5) < 5
        thread.join(5)


def test_kernel_frees_the_lease_of_a_killed_controller(sshd: Sshd) -> None:
    with controller(sshd) as (process, found), connect(sshd.spec) as node:
        with pytest.raises(LeaseError, match="the controller"):
            with node.leash().lease("next", wait_s=0):
                pass
        process.kill()
        with node.leash().lease("next", wait_s=3):
            assert gone(found, 0.5)


def test_lease_of_a_killed_leash_is_free_and_its_loss_is_told(sshd: Sshd, events: Events) -> None:
    with connect(sshd.spec) as first, connect(sshd.spec) as second:
        leash = first.leash()
        process = leash.start("cat", ["cat"], events=events, deadline_s=60)
        lease = leash.lease("first", wait_s=20)
        assert lease.__enter__().node == "alpha"
        os.kill(leash_pid(process.pid), signal.SIGKILL)
        with second.leash().lease("second", wait_s=3):
            pass
        with pytest.raises(LeaseError, match="alpha: the lease was lost"):
            lease.__exit__(None, None, None)


def test_failure_inside_a_lease_is_not_hidden(node: Node) -> None:
    with pytest.raises(ZeroDivisionError):
        with node.leash().lease("first", wait_s=20):
            raise ZeroDivisionError
    with node.leash().lease("second", wait_s=1):
        pass


# -- cpus --------------------------------------------------------------------------------------


def test_process_keeps_to_its_cpus_and_so_do_its_children(node: Node, events: Events) -> None:
    cpu = str(max(os.sched_getaffinity(0)))
    command = ["sh", "-c", "grep Cpus_allowed_list /proc/self/status"]
    process = node.leash().start("pinned", command, events=events, deadline_s=9, cpus=cpu)
    lines, _ = heard(events)
    assert process.cpus == cpu
    assert [line.split()[1] for line in out(lines)] == [cpu]


def test_process_without_cpus_has_all_of_the_leashs(node: Node, events: Events) -> None:
    process = node.leash().start("free", ["sleep", "1"], events=events, deadline_s=9)
    process.stop(grace_s=0)
    allowed = Path("/proc/self/status").read_text().partition("Cpus_allowed_list:")[2].split()[0]
    assert process.cpus == allowed


@pytest.mark.parametrize("cpus", ["4000-4001", "0-4001"])
def test_cpus_that_are_not_there_end_the_process_and_are_named(
    node: Node, events: Events, cpus: str
) -> None:
    with pytest.raises(RoleError, match=f"alpha: lost may run on CPUs .*; expected {cpus}, as"):
        node.leash().start("lost", ["sleep", "60"], events=events, deadline_s=90, cpus=cpus)
    _, last = heard(events)
    assert last.record.reason == "stopped"


def test_wall_clock_of_the_same_machine_agrees(node: Node) -> None:
    assert abs(node.leash().clock().wall_offset_s) < 0.05
