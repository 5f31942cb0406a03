"""Two roles to their ends: who waits for whom, and who is stopped when the other fails."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from harness.errors import NodeError, RoleError
from harness.evidence import Note, Record, RoleExited, RoleFailed, RoleReady, RoleStarted
from harness.nodes import Exited
from harness.plan import Assignment
from harness.roles.pair import run as run_module
from harness.roles.pair.run import PEER_S, READY_S, Run, events, listen
from suites.unit.roles.ends import PLAN, assignment
from suites.unit.roles.pair.stage import Actor, Play, Stage, silent

R = TypeVar("R", bound=Record)
SERVER_IS_AT = ("192.0.2.1", 20_001)


@dataclass
class Seen:
    """What a run wrote, and the nodes that it ran on."""

    server: Stage
    client: Stage
    records: list[Record] = field(default_factory=list)
    meanwhile: int = 0
    elapsed_s: float = 0.0

    def all(self, kind: type[R]) -> list[R]:
        return [record for record in self.records if isinstance(record, kind)]

    def ends(self) -> dict[str, tuple[int, str]]:
        return {each.role: (each.code, each.reason) for each in self.all(RoleExited)}


def ready(line: str) -> RoleReady:
    given = Assignment.from_line(line)
    address, port = SERVER_IS_AT
    return RoleReady(
        node=given.node,
        role=given.role,
        nonce=given.nonce,
        pid=1,
        address=address,
        port=port,
        addresses=("198.18.1.1",),
    )


def waiting(actor: Actor, line: str) -> None:
    """Ready, then at work without end."""
    actor.says(ready(line))


def exchanging(*said: Record | str) -> tuple[Play, Play]:
    """A server that says something and ends when the client has ended; both with 0."""
    servers: list[Actor] = []

    def server(actor: Actor, line: str) -> None:
        servers.append(actor)
        actor.says(ready(line), *said)

    def client(actor: Actor, line: str) -> None:
        actor.says(ready(line))
        actor.exits(0)
        servers[0].exits(0)

    return server, client


def prepared(server: Play, client: Play) -> tuple[Seen, Run]:
    seen = Seen(Stage("a", {"server": server}), Stage("b", {"client": client}))
    run = Run(
        seen.server,  # type: ignore[arg-type]
        seen.client,  # type: ignore[arg-type]
        {role: assignment(PLAN, role) for role in ("server", "client")},
        lambda node: {"HERE": node.spec.name},
        seen.records.append,
    )
    return seen, run


def ran(server: Play, client: Play) -> Seen:
    seen, run = prepared(server, client)

    def meanwhile() -> None:
        seen.meanwhile += 1

    started_s = time.monotonic()
    listen([run], run.heard, meanwhile)
    seen.elapsed_s = time.monotonic() - started_s
    return seen


def test_both_roles_run_to_their_ends() -> None:
    seen = ran(*exchanging())
    assert seen.ends() == {"server": (0, "exited"), "client": (0, "exited")}
    started = {(each.role, each.node, each.pid) for each in seen.all(RoleStarted)}
    assert started == {("server", "a", 100), ("client", "b", 100)}
    assert seen.meanwhile >= 1


def test_roles_are_started_as_the_node_says() -> None:
    seen = ran(*exchanging())
    for stage, role in ((seen.server, "server"), (seen.client, "client")):
        actor = stage.actors[role]
        assert actor.command == ("python3", "-m", "harness.roles", role, "--assigned")
        assert actor.env == {"HERE": stage.name}
        assert actor.deadline_s > PLAN.deadline_s


def test_the_client_is_told_where_the_ready_server_is() -> None:
    seen = ran(*exchanging())
    (line,) = seen.client.actors["client"].told
    given = Assignment.from_line(line)
    assert (given.role, given.peer, given.port) == ("client", *SERVER_IS_AT)


def test_a_client_gets_no_work_from_a_server_that_ended_before_it_was_ready() -> None:
    seen = ran(lambda actor, line: actor.exits(1), waiting)
    assert seen.client.actors["client"].told == []
    assert seen.ends() == {"server": (1, "exited"), "client": (-9, "stopped")}


@pytest.mark.parametrize("failing", ["server", "client"])
def test_a_failed_role_stops_its_peer_within_two_seconds(failing: str) -> None:
    def fail(actor: Actor, line: str) -> None:
        actor.says(ready(line))
        actor.exits(3)

    seen = ran(*((fail, waiting) if failing == "server" else (waiting, fail)))
    peer = "client" if failing == "server" else "server"
    assert seen.ends() == {failing: (3, "exited"), peer: (-9, "stopped")}
    assert seen.elapsed_s < 2.0


def test_last_words_of_a_failed_roles_peer_are_waited_for() -> None:
    """A role that has said why it fails takes its peer with it, but not at once."""

    def fail(actor: Actor, line: str) -> None:
        actor.says(ready(line), RoleFailed(node="b", role="client", klass="STALL", message="x"))

    seen = ran(waiting, fail)
    assert seen.ends() == {"server": (-9, "stopped"), "client": (-9, "stopped")}
    assert PEER_S <= seen.elapsed_s < 2.0


def test_a_silent_role_is_stopped_and_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "SILENCE_S", 0.2)
    monkeypatch.setattr(run_module, "PEER_S", 0.1)
    seen = ran(waiting, lambda actor, line: (actor.says(ready(line)), actor.exits(0)))
    assert seen.ends() == {"server": (-9, "silence"), "client": (0, "exited")}
    assert 0.2 <= seen.elapsed_s < 2.0


def test_a_server_that_is_never_ready_is_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "READY_S", 0.2)
    seen = ran(silent, silent)
    assert seen.ends() == {"server": (-9, "silence"), "client": (-9, "stopped")}
    assert READY_S > 0.2


GARBAGE = [
    "hello",
    "",
    "{",
    "{}",
    "17",
    "null",
    "[1]",
    '"text"',
    '{"type": "Gossip"}',
    '{"type": "Note", "mood": 1}',
]


@pytest.mark.parametrize("line", GARBAGE)
def test_what_is_no_record_becomes_a_note(line: str) -> None:
    seen = ran(*exchanging(line))
    assert Note(text=line, node="a", role="server") in seen.records
    assert seen.ends() == {"server": (0, "exited"), "client": (0, "exited")}


def test_stderr_becomes_notes_even_when_it_looks_like_a_record() -> None:
    said = '{"type": "RoleFailed"}'

    def complaining(actor: Actor, told: str) -> None:
        actor.complains(said)
        actor.exits(1)

    assert Note(text=said, node="a", role="server") in ran(complaining, silent).records


def test_records_are_written_in_the_order_in_which_they_came() -> None:
    seen = ran(*exchanging(*(Note(text=str(number)) for number in range(100))))
    assert [note.text for note in seen.all(Note)] == [str(number) for number in range(100)]


def test_readiness_of_somebody_else_is_refused() -> None:
    def play(actor: Actor, told: str) -> None:
        actor.says(RoleReady(node="a", role="server", nonce="bad", pid=1))

    seen, run = prepared(play, silent)
    listen([run], run.heard, lambda: None)
    assert [ready.nonce for ready in seen.all(RoleReady)] == ["bad"], "the verdict must see it"
    assert seen.ends().keys() == {"server", "client"}, "nobody is left running"


def test_how_a_role_ended_is_kept() -> None:
    def crashing(actor: Actor, told: str) -> None:
        actor.says(ready(told))
        actor.exits(-11, "killed", stderr="Segmentation fault")

    seen = ran(crashing, waiting)
    (server,) = [end for end in seen.all(RoleExited) if end.role == "server"]
    assert (server.code, server.reason) == (-11, "killed")
    assert server.stderr_tail == "Segmentation fault"


def test_nothing_runs_on_when_the_controller_fails_meanwhile() -> None:
    def broken() -> None:
        raise KeyboardInterrupt

    seen, run = prepared(waiting, waiting)
    with pytest.raises(KeyboardInterrupt):
        listen([run], run.heard, broken)
    assert seen.ends() == {"server": (-9, "stopped"), "client": (-9, "stopped")}


def test_a_role_that_ends_while_it_is_refused_hides_not_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The leash has told its end by then, of a process that the run never got."""
    seen, run = prepared(silent, silent)

    def refuse(name: str, *_: object, **__: object) -> None:
        record = RoleExited(node="b", role=name, code=-9, reason="killed")
        run.heard.put(Exited(process=name, node="b", record=record))
        raise RoleError(f"{name} may run on CPUs 0", where="b")

    monkeypatch.setattr(seen.client, "start", refuse)
    with pytest.raises(RoleError, match="client may run on CPUs 0"):
        listen([run], run.heard, lambda: None)
    assert seen.ends() == {"server": (-9, "stopped")}


def test_a_node_that_answers_no_more_keeps_nothing_running_on_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    seen, run = prepared(waiting, waiting)

    def lost(op: str, *, name: str, **_: object) -> dict[str, object]:
        asked.append(op)
        raise NodeError("the leash does not answer", where="a")

    def broken() -> None:
        monkeypatch.setattr(seen.server.actors["server"].process, "_ask", lost)
        raise KeyboardInterrupt

    with pytest.raises(NodeError, match="the leash does not answer"):
        listen([run], run.heard, broken)
    assert asked == ["stop"]
    assert seen.client.actors["client"].process._ended.done()


def meshed(*plays: tuple[Play, Play]) -> tuple[list[Seen], Stage, Stage]:
    """Several runs on the same two nodes at once, each with a label."""
    labels = [f"-gpu{gpu}" for gpu in range(len(plays))]
    named = list(zip(labels, plays, strict=True))
    server = Stage("a", {f"server{label}": play[0] for label, play in named})
    client = Stage("b", {f"client{label}": play[1] for label, play in named})
    heard, all_seen, runs = events(), [], []
    for label in labels:
        seen = Seen(server, client)
        all_seen.append(seen)
        runs.append(
            Run(
                server,  # type: ignore[arg-type]
                client,  # type: ignore[arg-type]
                {role: assignment(PLAN, role) for role in ("server", "client")},
                lambda node: {},
                seen.records.append,
                label=label,
                heard=heard,
            )
        )
    listen(runs, heard, lambda: None)
    return all_seen, server, client


def test_runs_at_once_share_nodes_and_a_queue_and_mix_nothing_up() -> None:
    said = [Note(text=f"of {gpu}") for gpu in range(3)]
    all_seen, server, client = meshed(*(exchanging(note) for note in said))
    for seen, note in zip(all_seen, said, strict=True):
        assert seen.ends() == {"server": (0, "exited"), "client": (0, "exited")}
        assert [each.text for each in seen.all(Note)] == [note.text]
        assert {each.role for each in seen.all(RoleStarted)} == {"server", "client"}
    assert sorted(server.actors) == ["server-gpu0", "server-gpu1", "server-gpu2"]
    assert all(len(actor.told) == 1 for actor in (*server.actors.values(), *client.actors.values()))


def test_a_run_that_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "PEER_S", 0.1)
    failing = (lambda actor, line: actor.exits(3)), waiting
    all_seen, _, _ = meshed(exchanging(), failing, exchanging())
    assert all_seen[1].ends() == {"server": (3, "exited"), "client": (-9, "stopped")}
    for seen in (all_seen[0], all_seen[2]):
        assert seen.ends() == {"server": (0, "exited"), "client": (0, "exited")}
