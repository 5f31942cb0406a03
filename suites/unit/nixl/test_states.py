"""Every step of the contract in every state that does not allow it, made from the table itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from harness.errors import IllegalStepError, LocalProtocolError
from harness.nixl import Engine, Role
from harness.nixl.states import TABLE, THINGS, Asked, Link, Local, Remote, State, allowed_steps
from suites.unit.nixl.two_engines import OPERATION, WAYS, Side, World, world

CONTRACT = """getConnInfo loadRemoteConnInfo connect disconnect registerMem deregisterMem
loadLocalMD loadRemoteMD unloadMD prepXfer postXfer checkXfer releaseReqH"""
STATES = [state for thing in THINGS for state in thing]
ONLY = {  # states that one of the two roles never has
    Role.SERVER: (Role.CLIENT, Link.KNOWN),
    Role.CLIENT: (Role.SERVER, Link.LISTENING),
}


def unload(side: Side, state: State) -> None:
    side.engine.unload_md(side.local if isinstance(state, Local) else side.remote)


ASK: dict[str, Callable[[World, State], object]] = {
    "get_conn_info": lambda w, _: w.mine.engine.get_conn_info(),
    "load_remote_conn_info": lambda w, _: w.mine.engine.load_remote_conn_info("server", "{}"),
    "connect": lambda w, _: w.mine.engine.connect(w.mine.peer),
    "disconnect": lambda w, _: w.mine.engine.disconnect(w.mine.peer),
    "register_mem": lambda w, _: w.mine.engine.register_mem(w.mine.buffer),
    "deregister_mem": lambda w, _: w.mine.engine.deregister_mem(w.mine.local),
    "load_local_md": lambda w, _: w.mine.engine.load_local_md(w.mine.local),
    "load_remote_md": lambda w, _: w.mine.engine.load_remote_md(w.other.local.public_data),
    "unload_md": lambda w, state: unload(w.mine, state),
    "prep_xfer": lambda w, _: w.mine.prepare(),
    "post_xfer": lambda w, _: w.mine.engine.post_xfer(w.mine.request),
    "check_xfer": lambda w, _: w.mine.engine.check_xfer(w.mine.request),
    "release_req_h": lambda w, _: w.mine.engine.release_req_h(w.mine.request),
}


def refusals() -> Iterator[tuple[Role, str, State]]:
    """Each step with each state that it does not allow, for each role that can be in it."""
    for step, things in TABLE.items():
        for thing, allowed in things.items():
            for state in thing:
                for role in things.get(Role, Role) if thing is not Role else Role:
                    if state not in (*allowed, *ONLY[role]):
                        yield role, step, state


def named(case: tuple[Role, str, State]) -> str:
    role, step, state = case
    return f"{role.name}-{step}-{type(state).__name__}.{state.name}"


def spelled(name: str) -> str:
    """get_conn_info as the contract writes it."""
    first, *rest = name.split("_")
    return first + "".join("MD" if word == "md" else word.capitalize() for word in rest)


def come_close(w: World, step: str, state: State) -> None:
    """Into `state`, with what is looked at before it in a state that the step allows."""
    for thing, allowed in TABLE[step].items():
        if thing is type(state):
            break
        if step != "unload_md":  # which is about one thing at a time
            w.reach(next(s for s in allowed if s not in ONLY[w.mine.role]))
    w.reach(state)


@pytest.mark.parametrize("case", list(refusals()), ids=named)
def test_a_step_is_refused_by_name_and_changes_nothing(case: tuple[Role, str, State]) -> None:
    role, step, state = case
    with world(role) as w:
        come_close(w, step, state)
        before = w.mine.states()
        with pytest.raises(IllegalStepError) as caught:
            ASK[step](w, state)
        assert w.mine.states() == before
    refusal = caught.value
    assert (refusal.step, refusal.state) == (step, state.told)
    assert f"{step} while {state.told}" in refusal.seen
    assert refusal.expected == " or ".join(s.value for s in TABLE[step][type(state)])
    for possible in allowed_steps(state):
        assert possible in refusal.fix


def test_the_table_is_the_contract() -> None:
    assert {spelled(step) for step in TABLE} == set(CONTRACT.split())
    assert all(callable(getattr(Engine, step)) for step in TABLE)


def test_no_step_is_always_allowed() -> None:
    """So that the test above has a case of each, and can have one of each state."""
    assert {step for _, step, _ in refusals()} == set(TABLE) == set(ASK)
    assert set(WAYS) == set(STATES)


@pytest.mark.parametrize(
    ("role", "state"),
    [(role, state) for role in Role for state in STATES if state not in ONLY[role]],
)
def test_every_state_is_reached_by_allowed_steps(role: Role, state: State) -> None:
    with world(role) as w:
        w.reach(state)
        assert state in (*w.mine.states(), w.mine.role)


def test_the_other_direction_is_refused_by_name() -> None:
    for role in Role:
        with world(role) as w:
            w.connect()
            w.load_remote()
            other = OPERATION[Role.CLIENT if role is Role.SERVER else Role.SERVER]
            refusal = f"prep_xfer of a {other.name} while this engine is {role.value}"
            with pytest.raises(LocalProtocolError, match=refusal):
                w.mine.engine.prep_xfer(other, (), (), w.mine.peer)


def test_a_request_that_was_released_can_do_nothing_more() -> None:
    with world() as w:
        w.reach(Asked.RELEASED)
        with pytest.raises(IllegalStepError, match="Nothing is allowed any more"):
            w.mine.engine.post_xfer(w.mine.request)
        assert w.mine.engine.link is Link.CONNECTED
        assert (w.mine.local.state, w.mine.remote.state) == (Local.LOADED, Remote.LOADED)
