"""The leash: the program on the node that holds every role of one controller.

It is one file of the standard library (Python 3.8 syntax) that the controller sends as text, so it
works on a node that has nothing of ours. It talks JSON lines on stdin and stdout. It exists because
closing an SSH channel does not end what runs behind it, and because a controller can be killed at
any instant: whatever a role has started dies when stdin ends, when the heartbeat stops, when the
role's own deadline passes, or on request. Two more nets hang below it: roles carry PDEATHSIG, so
they die with the leash itself; and what a killed leash left behind is found by the next one.

A role's tree is found in /proc by its session, by its ancestors and by a mark in its environment,
so that children in sessions of their own are found too; never by name. One thread, no locks. Every
buffer has a size: a role whose controller is slow waits in its own write.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

LINE_BYTES = 256 * 1024  # a longer line is cut
STREAM_BYTES = 16 * 1024 * 1024  # of one stream, if not told; what follows is read and dropped
OUTBOX_BYTES = 1024 * 1024  # beyond this, roles are not read until the controller has caught up
PENDING_BYTES = 4 * 1024 * 1024  # written to a role, not yet read by it; and one request's length
TAIL_BYTES = 4096  # of stderr, for the death note
DEATHS = 200  # notes kept on the node
DRAIN_S = 1.0  # for what a dead role's streams still hold
KILL_S = 2.0  # for a killed tree to be gone
MARK = "TCPX_HARNESS_LEASH"
LEASE = "/tmp/tcpx-harness.lease"
NOTES = "~/.cache/tcpx-harness/deaths.jsonl"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

prctl = ctypes.CDLL(None, use_errno=True).prctl


class Refused(Exception):
    """A request that cannot be done; the controller is told why."""


# -- /proc -------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """A process, as /proc/PID/stat tells it."""

    state: str
    parent: int
    session: int
    started: str

    @property
    def alive(self) -> bool:
        return self.state not in "ZX"  # nobody can kill a zombie


def stat(pid: int) -> Seen | None:
    """The process with that number; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return Seen(fields[0].decode(), int(fields[1]), int(fields[3]), fields[19].decode())
    except (OSError, IndexError):
        return None


def mark_of(pid: int) -> str:
    """The mark in a process's environment; '' when it has none or may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return ""
    name = MARK.encode() + b"="
    found = (e[len(name) :].decode("ascii", "replace") for e in entries if e.startswith(name))
    return next(found, "")


def processes() -> dict[int, Seen]:
    """Every live process but this one."""
    seen = ((int(name), stat(int(name))) for name in os.listdir("/proc") if name.isdigit())
    return {pid: s for pid, s in seen if s and s.alive and pid != os.getpid()}


def descendants(live: dict[int, Seen], root: int) -> set[int]:
    """Processes with `root` among their ancestors."""
    children: dict[int, list[int]] = {}
    for pid, seen in live.items():
        children.setdefault(seen.parent, []).append(pid)
    found: set[int] = set()
    waiting = list(children.get(root, ()))
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children.get(pid, ()))
    return found


def abandoned(mark: str, namespace: str) -> bool:
    """Whether `mark` was made in this PID namespace by a leash that is no more."""
    parts = mark.split(":")
    if len(parts) != 4 or parts[0] != namespace or not parts[1].isdigit():
        return False
    maker = stat(int(parts[1]))
    return maker is None or not maker.alive or maker.started != parts[2]


# -- a role ------------------------------------------------------------------------------------


class Stream:
    """One output of a role, cut into lines; bounded in length and in total."""

    def __init__(self, limit: int = STREAM_BYTES) -> None:
        self.partial = bytearray()
        self.skipped = 0  # bytes of the current line beyond LINE_BYTES
        self.left = limit
        self.cut = 0  # bytes dropped because the stream was too long
        self.tail = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        self.tail = (self.tail + data)[-TAIL_BYTES:]
        if self.left <= 0:
            self.cut += len(data)
            return []
        *whole, rest = data.split(b"\n")
        lines = []
        for part in whole:
            self._append(part)
            lines.extend(self._take(b"\n"))
        self._append(rest)
        return lines

    def end(self) -> list[str]:
        """The last line, when no newline ended it."""
        return self._take(b"") if self.partial or self.skipped else []

    def _append(self, part: bytes) -> None:
        room = max(0, LINE_BYTES - len(self.partial))
        self.partial += part[:room]
        self.skipped += max(0, len(part) - room)

    def _take(self, ending: bytes) -> list[str]:
        text = self.partial.decode("utf-8", "backslashreplace")
        if self.skipped:
            text += f" [{self.skipped} bytes cut]"
        size = len(self.partial) + self.skipped
        self.partial.clear()
        self.skipped = 0
        if self.left <= 0:
            self.cut += size + len(ending)
            return []
        self.left -= min(size, LINE_BYTES) + 64  # a line costs more than its text to pass on
        return [text]


class Role:
    """A running role: its process, its three pipes, and what will end it."""

    def __init__(
        self,
        name: str,
        mark: str,
        process: subprocess.Popen[bytes],
        deadline: float,
        limit: int = STREAM_BYTES,
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.name, self.mark, self.process, self.deadline = name, mark, process, deadline
        self.stdin = process.stdin.fileno()
        self.outputs = {process.stdout.fileno(): "out", process.stderr.fileno(): "err"}
        self.streams = {"out": Stream(limit), "err": Stream(limit)}
        self.pending = bytearray()  # for its stdin
        self.closing = False  # stdin is to be closed once `pending` is written
        self.kill_at: float | None = None  # when a polite stop becomes SIGKILL
        self.reason = ""  # why we ended it; '' = we did not
        self.detail = ""
        self.status: int | None = None
        self.usage: resource.struct_rusage | None = None
        self.died_at = 0.0
        self.swept = False  # its tree has been ended as well

    def finish(self, status: int, usage: resource.struct_rusage) -> None:
        self.status = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.process.returncode = self.status  # Popen must not wait for it again
        self.usage, self.died_at = usage, time.monotonic()

    def note(self) -> dict[str, Any]:
        """The death note."""
        code = -signal.SIGKILL if self.status is None else self.status
        usage = self.usage
        return {
            "name": self.name,
            "code": code,
            "reason": self.reason or ("killed" if code < 0 else "exited"),
            "detail": self.detail,
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 3) if usage else 0.0,
            "max_rss_bytes": usage.ru_maxrss * 1024 if usage else 0,
            "at_s": self.died_at or time.monotonic(),
            "stderr_tail": self.streams["err"].tail.decode("utf-8", "backslashreplace"),
        }


def tie_to(leash: int, cpus: list[int]) -> Callable[[], None]:
    """What a new role does before exec: die with the leash, even if it is already dead; keep to
    `cpus`, if there are any. What came of that is read back, see cpus_of."""

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != leash:
            os._exit(1)
        if cpus:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, cpus)

    return tie


def cpus_of(pid: int) -> str:
    """The CPUs that the kernel lets a process run on, in its own words; '' when it is gone."""
    try:
        with open(f"/proc/{pid}/status") as file:
            lines = [line for line in file if line.startswith("Cpus_allowed_list:")]
    except OSError:
        return ""
    return lines[0].partition(":")[2].strip() if lines else ""


def spawn(
    argv: list[str], env: dict[str, str], mark: str, cpus: list[int]
) -> subprocess.Popen[bytes]:
    """Start a role in its own session."""
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, **env, MARK: mark},
        start_new_session=True,
        preexec_fn=tie_to(os.getpid(), cpus),
    )


# -- the lease ---------------------------------------------------------------------------------


class Lease:
    """The node's one lock: flock on a file that the kernel frees when its holder dies.

    /tmp because every node has one of its own; a home may be shared by many nodes. The file is
    never removed (two holders could then lock two files), and anybody may open it. It is opened
    without O_CREAT first: sticky folders refuse O_CREAT on another user's file.
    """

    def __init__(self, path: str = LEASE) -> None:
        self.path = path
        self.fd = -1

    def take(self, owner: str) -> str | None:
        """None when it is ours now, else what the holder wrote about itself."""
        fd = self._open()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with open(fd, encoding="utf-8", errors="replace") as file:
                return file.read(4096) or "{}"
        self.fd = fd
        self._write(json.dumps({"owner": owner, "pid": os.getpid(), "since_s": time.time()}))
        return None

    def release(self) -> None:
        if self.fd >= 0:
            self._write("")
            os.close(self.fd)
            self.fd = -1

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self.path, flags)
        except FileNotFoundError:
            pass
        try:
            fd = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:  # somebody was faster
            return os.open(self.path, flags)
        os.fchmod(fd, 0o666)  # whatever the umask says
        return fd

    def _write(self, text: str) -> None:
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, text.encode(), 0)


# -- the leash ---------------------------------------------------------------------------------


class Leash:
    """The loop: requests in, events out, roles between."""

    def __init__(self, silence_s: float) -> None:
        self.silence_s = silence_s
        self.roles: dict[str, Role] = {}
        self.lease = Lease()
        self.inbox, self.outbox = bytearray(), bytearray()
        self.ending = ""  # the reason that the death notes will give
        self.detail = ""
        self.heard_at = time.monotonic()
        self.paused = False
        self.started = 0
        self.poll = selectors.PollSelector()
        me = stat(os.getpid())
        self.namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
        self.mark = f"{self.namespace}:{os.getpid()}:{me.started if me else '?'}"

    def run(self) -> None:
        """Serve until the controller says bye, goes away or falls silent."""
        self._prepare()
        self.say({"ev": "hello", "pid": os.getpid(), "python": sys.version.split()[0]})
        while not self.ending:
            for key, events in self.poll.select(self._patience()):
                key.data(key.fd, events)
            self._reap()
            self._expire()
        self._finish()

    def _prepare(self) -> None:
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.kill(lambda live: {pid for pid in live if abandoned(mark_of(pid), self.namespace)})
        alarm, bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self._signalled)
        self.poll.register(alarm, selectors.EVENT_READ, lambda fd, _: os.read(fd, 4096))
        self.poll.register(0, selectors.EVENT_READ, self._hear)
        os.set_blocking(0, False)
        os.set_blocking(1, False)

    def _signalled(self, number: int, _frame: Any) -> None:
        self.end("stopped", f"the leash got signal {number}")

    def end(self, reason: str, detail: str) -> None:
        if not self.ending:
            self.ending, self.detail = reason, detail

    # -- time

    def _patience(self) -> float:
        """Seconds until something is due."""
        due = [self.heard_at + self.silence_s]
        for role in self.roles.values():
            due.append(role.deadline if role.kill_at is None else role.kill_at)
            if role.status is not None:
                due.append(role.died_at + DRAIN_S)
        return min(1.0, max(0.0, min(due) - time.monotonic()))

    def _expire(self) -> None:
        now = time.monotonic()
        if now > self.heard_at + self.silence_s:
            self._hear(0, 0)  # it may have spoken while we were stopped or busy
            if now > self.heard_at + self.silence_s:
                self.end("silence", f"no heartbeat for {self.silence_s:.1f} s")
        for role in list(self.roles.values()):
            if role.status is not None:
                self._sweep(role)
                if not role.outputs or (not self.paused and now > role.died_at + DRAIN_S):
                    self._bury(role)
            elif role.kill_at is not None and now > role.kill_at:
                self._kill(role, "stopped", "did not end in its grace")
            elif now > role.deadline:
                self._kill(role, "deadline", "its own deadline on the node passed")

    # -- the controller's side

    def _hear(self, fd: int, _events: int) -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            return self.end("silence", "the controller is gone: stdin ended")
        self.heard_at = time.monotonic()
        self.inbox += data
        *lines, self.inbox = self.inbox.split(b"\n")
        for line in lines:
            self._answer(bytes(line))
        if len(self.inbox) > PENDING_BYTES:
            self.end("stopped", f"a request of more than {PENDING_BYTES} bytes")
        return None

    def _answer(self, line: bytes) -> None:
        try:
            request = json.loads(line)
            handler = getattr(self, "do_" + request["op"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return self.end("stopped", f"a request that cannot be read: {error}")
        reply = {"re": request.get("id")}
        try:
            reply.update(handler(request) or {})
        except (Refused, OSError, ValueError, subprocess.SubprocessError) as error:
            reply["error"] = str(error)
        return self.say(reply)

    def say(self, message: dict[str, Any]) -> None:
        self.outbox += json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self._flush(1, 0)

    def _flush(self, _fd: int, _events: int) -> None:
        try:
            while self.outbox:
                del self.outbox[: os.write(1, self.outbox[:65536])]
        except BlockingIOError:
            pass
        except OSError as error:
            self.outbox.clear()
            self.end("silence", f"the controller is gone: {error}")
        self._watch(1, selectors.EVENT_WRITE, self._flush, bool(self.outbox))
        paused = len(self.outbox) > OUTBOX_BYTES
        if paused != self.paused:
            self.paused = paused
            for role in self.roles.values():
                self._watch_outputs(role)

    def _watch(self, fd: int, events: int, handler: Callable[[int, int], Any], on: bool) -> None:
        if not on:
            self._unwatch(fd)
        elif fd not in self.poll.get_map():
            self.poll.register(fd, events, handler)

    def _unwatch(self, fd: int) -> None:
        if fd in self.poll.get_map():
            self.poll.unregister(fd)

    # -- requests

    def do_beat(self, _request: dict[str, Any]) -> None:
        """Hearing it is all there is to it."""

    def do_clock(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"monotonic_s": time.monotonic(), "wall_s": time.time()}

    def do_lease(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"holder": self.lease.take(request["owner"])}

    def do_release(self, _request: dict[str, Any]) -> None:
        self.lease.release()

    def do_bye(self, _request: dict[str, Any]) -> None:
        self.end("stopped", "the controller said bye")

    def do_start(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["name"]
        if name in self.roles:
            raise Refused(f"a role named {name} is running")
        self.started += 1
        mark = f"{self.mark}:{self.started}"
        process = spawn(request["argv"], request["env"], mark, request.get("cpus") or [])
        limit = request.get("stream_bytes") or STREAM_BYTES
        role = Role(name, mark, process, time.monotonic() + request["deadline_s"], limit)
        self.roles[name] = role
        for fd in (role.stdin, *role.outputs):
            os.set_blocking(fd, False)
        self._watch_outputs(role)
        self._feed(role, request["first"].encode())
        return {"pid": process.pid, "cpus": cpus_of(process.pid)}

    def do_send(self, request: dict[str, Any]) -> None:
        role = self.roles.get(request["name"])
        if role:  # what is sent to the dead is dropped: the death note says more
            if len(role.pending) > PENDING_BYTES:
                raise Refused(f"{role.name} does not read its stdin")
            self._feed(role, request["data"].encode())

    def do_close(self, request: dict[str, Any]) -> None:
        role = self.roles.get(request["name"])
        if role:
            role.closing = True
            self._feed(role, b"")

    def do_stop(self, request: dict[str, Any]) -> None:
        role = self.roles.get(request["name"])
        if role is None or role.status is not None or role.swept:
            return
        if request["grace_s"] <= 0:
            self._kill(role, "stopped", "on request")
        elif role.kill_at is None:
            role.reason, role.detail = "stopped", "on request"
            role.kill_at = time.monotonic() + request["grace_s"]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(role.process.pid, signal.SIGTERM)
            self.do_close(request)

    # -- a role's pipes

    def _feed(self, role: Role, data: bytes) -> None:
        role.pending += data
        self._drain(role)

    def _drain(self, role: Role) -> None:
        """Write what the role's stdin takes; close it when that was asked and all is written."""
        if role.stdin < 0:
            return
        try:
            while role.pending:
                del role.pending[: os.write(role.stdin, role.pending[:65536])]
        except BlockingIOError:
            pass
        except OSError:  # the role has closed its stdin: its own business
            role.pending.clear()
            role.closing = True
        waiting = bool(role.pending)
        self._watch(role.stdin, selectors.EVENT_WRITE, lambda *_: self._drain(role), waiting)
        if role.closing and not waiting:
            self._close_stdin(role)

    def _close_stdin(self, role: Role) -> None:
        if role.stdin >= 0 and role.process.stdin:
            self._unwatch(role.stdin)
            role.process.stdin.close()
            role.stdin = -1

    def _watch_outputs(self, role: Role) -> None:
        for fd in role.outputs:
            handler: Callable[[int, int], Any] = lambda fd, _: self._read(role, fd)  # noqa: E731
            self._watch(fd, selectors.EVENT_READ, handler, not self.paused)

    def _read(self, role: Role, fd: int) -> None:
        if self.paused:  # an earlier role of this round has filled the outbox
            return
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        kind = role.outputs[fd]
        stream = role.streams[kind]
        self._tell(role, kind, stream.feed(data) if data else stream.end())
        if not data:
            self._close_output(role, fd)

    def _close_output(self, role: Role, fd: int) -> None:
        self._unwatch(fd)
        kind = role.outputs.pop(fd)
        pipe = role.process.stdout if kind == "out" else role.process.stderr
        if pipe:
            pipe.close()
        if role.streams[kind].cut:
            text = f"[leash] {role.streams[kind].cut} bytes of std{kind} were cut"
            self._tell(role, "err", [text])

    def _tell(self, role: Role, kind: str, lines: list[str]) -> None:
        if lines:
            self.say({"ev": "lines", "name": role.name, "stream": kind, "text": lines})

    # -- death

    def kill(self, tree: Callable[[dict[int, Seen]], set[int]]) -> int:
        """SIGKILL what `tree` finds until it finds nothing; the number that would not die."""
        until = time.monotonic() + KILL_S
        while True:
            found = tree(processes())
            if not found or time.monotonic() > until:
                return len(found)
            for pid in found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.005)

    def _kill(self, role: Role, reason: str, detail: str) -> None:
        role.reason, role.detail, role.kill_at = reason, detail, None
        role.deadline = float("inf")
        self._sweep(role)

    def _sweep(self, role: Role) -> None:
        """End the role's whole tree, wherever its processes have gone. Once is enough."""
        if role.swept:
            return
        role.swept = True
        root, mark = role.process.pid, role.mark

        def tree(live: dict[int, Seen]) -> set[int]:
            mine = {pid for pid, s in live.items() if root in (pid, s.session)} | descendants(
                live, root
            )
            return mine | {pid for pid in live if pid not in mine and mark_of(pid) == mark}

        left = self.kill(tree)
        if left:
            self._tell(role, "err", [f"[leash] {left} processes would not die"])

    def _reap(self) -> None:
        by_pid = {r.process.pid: r for r in self.roles.values() if r.status is None}
        for pid, status, usage in self._dead():
            if pid in by_pid:
                by_pid[pid].finish(status, usage)

    def _dead(self) -> Iterator[tuple[int, int, resource.struct_rusage]]:
        """Children that have ended, those we inherited as subreaper too."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            yield pid, status, usage

    def _bury(self, role: Role) -> None:
        """The role is dead and read to the end: the last word about it."""
        self._close_stdin(role)
        for fd in list(role.outputs):
            self._tell(role, role.outputs[fd], role.streams[role.outputs[fd]].end())
            self._close_output(role, fd)
        del self.roles[role.name]
        note = role.note()
        self._keep(note)
        self.say({"ev": "exit", **note})

    def _keep(self, note: dict[str, Any]) -> None:
        """The note in a file as well, since the controller may be gone."""
        path = os.path.expanduser(NOTES)
        line = json.dumps({"wall_s": round(time.time(), 3), "leash": self.mark, **note})
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                lines = [*file.read().splitlines(), line][-DEATHS:]
                file.truncate(0)
                file.write("\n".join(lines) + "\n")
        except OSError as error:
            self.say({"ev": "note", "text": f"death note not kept in {path}: {error}"})

    def _finish(self) -> None:
        """Everything dies, then the leash itself. The kernel frees the lease with it."""
        for role in self.roles.values():
            role.reason, role.detail = role.reason or self.ending, role.detail or self.detail
        me = os.getpid()
        prefix = self.mark + ":"
        self.kill(
            lambda live: (
                descendants(live, me) | {pid for pid in live if mark_of(pid).startswith(prefix)}
            )
        )
        self._reap()
        for role in list(self.roles.values()):
            self._bury(role)
        self.say({"ev": "bye", "why": self.detail})
        until = time.monotonic() + 0.5
        while self.outbox and time.monotonic() < until:
            self._flush(1, 0)
            time.sleep(0.01)


if __name__ == "__main__":
    Leash(float(sys.argv[-1])).run()
