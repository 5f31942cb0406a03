"""A program is started, heard and watched; its end is told as it was. Programs here are scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.evidence import (
    Note,
    ProgramSaid,
    ProgramSockets,
    ProgramStarted,
    Record,
    RoleFailed,
    RoleReady,
    decode,
)
from harness.plan import MIB, Assignment, Plan

PROJECT = Path(__file__).parents[3]
STAND_IN = PROJECT / "fixtures" / "stand_in" / "uccl.py"
NAME = "test_tcpx_perf_multi"
PORT = 23_000
RUN_S = 30.0


@dataclass
class Ended:
    """What a hosted role said, and its exit status."""

    code: int
    records: list[Record]
    stderr: str

    def all(self, kind: type[Any]) -> list[Any]:
        return [r for r in self.records if isinstance(r, kind)]

    def figures(self, what: str) -> list[float]:
        return [r.value for r in self.all(ProgramSaid) if r.what == what]


def script(folder: Path, body: str, name: str = NAME) -> str:
    """An executable that stands for the program."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return str(file)


def assignment(program: str, role: str, **fields: Any) -> Assignment:
    plan = Plan(
        **{
            "program": program,
            "channels": 2,
            "size_bytes": 64 * MIB,
            "iterations": 2,
            "port_base": PORT,
            "deadline_s": 10.0,
            **fields,
        }
    )
    return Assignment(
        plan=plan,
        role=role,
        node="here",
        nics=("lo",),
        management="lo",
        nonce="c0ffee",
        peer="127.0.0.1",
        port=plan.port,
        peers=("127.0.0.1",),
    )


def start(given: Assignment, **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.roles", given.role, "--assigned"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **environment},
    )
    assert process.stdin
    process.stdin.write(given.to_line() + "\n")
    process.stdin.flush()
    return process


def end(process: subprocess.Popen[str], already: str = "") -> Ended:
    """Its records; stdin stays open until it has ended, for its end is the order to die."""
    assert process.stdout
    assert process.stderr
    out, err = process.stdout.read(), process.stderr.read()
    code = process.wait(RUN_S)
    records = [decode(json.loads(line)) for line in (already + out).splitlines()]
    return Ended(code, records, err)


def alone(given: Assignment) -> Ended:
    return end(start(given))


def alive(pid: str) -> bool:
    """Neither gone nor waiting for somebody to hear of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def until_ready(process: subprocess.Popen[str]) -> str:
    """What it said until it was ready."""
    assert process.stdout
    said = ""
    while '"RoleReady"' not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


@pytest.mark.parametrize("arguments", [(), ("--old",)], ids=["later", "earlier"])
def test_two_roles_run_a_program_and_tell_what_it_did(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    program = tmp_path / NAME
    program.write_bytes(STAND_IN.read_bytes())
    program.chmod(0o755)
    given = assignment(str(program), "server", arguments=arguments)
    server = start(given)
    already = until_ready(server)
    client = end(start(replace(given, role="client")))
    told = end(server, already)
    assert (told.code, client.code) == (0, 0), told.stderr + client.stderr
    (started,) = told.all(ProgramStarted)
    assert (started.due_bytes, started.processes) == (128 * MIB, (0,))
    assert started.environment["UCCL_TCPX_PERF_SIZE"] == str(64 * MIB)
    (ready,) = told.all(RoleReady)
    assert (ready.nonce, ready.address, ready.port) == ("c0ffee", "127.0.0.1", PORT)
    what = "iteration_s" if arguments else "iteration_chunks"
    assert len(told.figures(what)) == len(client.figures(what)) == 2
    (taken,), (sent,) = told.all(ProgramSockets), client.all(ProgramSockets)
    ports = {s.local_port for s in taken.own}  # either end is enough to know a connection by
    assert 128 * MIB <= sum(s.bytes_received for s in taken.own) < 128 * MIB + 4096
    ours = [s for s in (*sent.own, *sent.others) if s.peer_port in ports]
    assert 128 * MIB <= sum(s.bytes_sent - s.bytes_retrans for s in ours) < 128 * MIB + 4096
    assert {s.nic for s in (*taken.own, *ours)} == {"lo"}


def test_its_lines_are_passed_on(tmp_path: Path) -> None:
    ended = alone(assignment(script(tmp_path, "echo one; echo two >&2; printf three"), "client"))
    assert {"one", "two", "three"} <= set(ended.stderr.splitlines())
    assert not ended.all(Note)


def test_its_status_is_the_roles(tmp_path: Path) -> None:
    body = "echo '[PERF] Benchmark completed successfully'; exit 7"
    ended = alone(assignment(script(tmp_path, body), "client"))
    assert ended.code == 7
    assert not ended.all(RoleFailed)


def test_a_signal_is_a_crash(tmp_path: Path) -> None:
    ended = alone(assignment(script(tmp_path, "kill -SEGV $$"), "client"))
    (failed,) = ended.all(RoleFailed)
    assert (ended.code, failed.klass) == (1, "ROLE_CRASH")
    assert "SIGSEGV" in failed.message
    assert ended.all(ProgramSockets)  # what was seen until then is told


def test_what_never_ends_is_a_hang_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"sleep 60 & echo $! > {pids}; echo waiting; sleep 60 & echo $! >> {pids}; wait"
    begun = time.monotonic()
    ended = alone(assignment(script(tmp_path, body), "client", deadline_s=1.0))
    assert time.monotonic() - begun < RUN_S / 3
    (failed,) = ended.all(RoleFailed)
    assert failed.klass == "HANG"
    assert "it last said 'waiting'" in failed.message
    assert not [pid for pid in pids.read_text().split() if alive(pid)]


def test_what_has_closed_its_outputs_and_goes_on_is_a_hang_too(tmp_path: Path) -> None:
    body = "exec >&- 2>&-; sleep 60"
    ended = alone(assignment(script(tmp_path, body), "client", deadline_s=1.0))
    (failed,) = ended.all(RoleFailed)
    assert failed.klass == "HANG"
    assert "said all and did not end" in failed.message


def test_a_server_that_ends_before_it_listens_is_never_ready(tmp_path: Path) -> None:
    ended = alone(assignment(script(tmp_path, "echo no device; exit 1"), "server"))
    assert (ended.code, ended.all(RoleReady)) == (1, [])


def test_a_program_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    ended = alone(assignment(str(tmp_path / NAME), "client"))
    (failed,) = ended.all(RoleFailed)
    assert (ended.code, failed.klass) == (1, "INFRA_PROVISION")
    assert str(tmp_path) in failed.message


def test_our_code_is_not_its_code(tmp_path: Path) -> None:
    ended = alone(assignment(script(tmp_path, 'echo "path=[$PYTHONPATH]"'), "client"))
    assert "path=[]" in ended.stderr.splitlines()


def test_files_that_it_leaves_are_read(tmp_path: Path) -> None:
    name = "run_p2p_fullmesh.sh"
    log = '"$LOG_DIR/fullmesh_client_gpu2_20251021_120000.log"'
    body = f"echo '[PERF]   Iteration 1 complete (8/8 chunks)' > {log}"
    given = assignment(script(tmp_path, body, name), "client", channels=16, size_bytes=64 * MIB)
    ended = alone(given)
    assert ended.code == 0
    (chunks,) = [r for r in ended.all(ProgramSaid) if r.what == "iteration_chunks"]
    assert (chunks.process, chunks.value, chunks.node) == (2, 8, "here")


def test_an_attendant_waits_for_the_clients_command(tmp_path: Path) -> None:
    """Where the client's command starts what runs on the server, the server's role looks on."""
    binary = script(tmp_path, "exit 0", "sendrecv_perf")
    server = start(assignment(binary, "server"))
    already = until_ready(server)
    (tmp_path / "mpirun").write_text("#!/bin/sh\necho '# Out of bounds values : 0 OK'\n")
    (tmp_path / "mpirun").chmod(0o755)
    node = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NCCL_NET": "Tcpx", "COLOUR": "red"}
    client = end(start(assignment(binary, "client"), **node))
    assert client.code == 0, client.stderr
    (told,) = client.all(ProgramStarted)
    assert " -x NCCL_NET " in told.commands[0]  # the node's, of the transport, for both ranks
    assert "COLOUR" not in told.commands[0]
    assert client.figures("wrong_values") == [0]
    assert end(server, already).code == 0


@pytest.mark.parametrize("role", ["server", "client"])
def test_its_end_comes_with_ours(tmp_path: Path, role: str) -> None:
    """EOF on stdin is the order to die, for the program too: the leash sees to its tree."""
    process = start(assignment(script(tmp_path, "sleep 20"), role))
    assert process.stdin
    process.stdin.close()
    assert process.wait(RUN_S / 3) != 0
