"""What the library refuses becomes ours; with the library itself, see suites/nixl."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from harness.errors import AgentError, StallError
from harness.roles.agents.library import PLUGINS, Agent, _asked, _where


def test_a_refusal_names_the_call_and_the_librarys_own_words() -> None:
    with pytest.raises(AgentError, match=r"NIXL's deregister refused: RuntimeError: No plugins"):
        _asked("deregister", _refuse)


class Scripted:
    """A library that answers as it is told to: what a real one only does when it is broken."""

    def __init__(self, states: list[str], news: list[dict[str, list[bytes]]]) -> None:
        self.states, self.news, self.released = states, news, 0

    def get_plugin_list(self) -> list[str]:
        return ["UCX", "POSIX"]

    def initialize_xfer(self, *arguments: object) -> str:
        return "handle"

    def transfer(self, handle: str) -> str:
        return self.states.pop(0)

    check_xfer_state = transfer

    def release_xfer_handle(self, handle: str) -> None:
        self.released += 1

    def get_new_notifs(self) -> dict[str, list[bytes]]:
        return self.news.pop(0) if self.news else {}


def scripted(*states: str, news: Sequence[dict[str, list[bytes]]] = ()) -> Agent:
    agent = object.__new__(Agent)
    agent.backend, agent._peer = "UCCL", "server"
    agent._agent = Scripted(list(states), list(news))
    return agent


def write(agent: Agent, left_s: float = 1.0) -> None:
    agent.transfer("WRITE", None, None, b"written 0", left_s)


def test_a_transfer_is_checked_until_it_is_done_and_then_released() -> None:
    agent = scripted("PROC", "PROC", "DONE")
    write(agent)
    assert (agent._agent.states, agent._agent.released) == ([], 1)


def test_a_transfer_that_ends_otherwise_is_named() -> None:
    with pytest.raises(AgentError, match="a WRITE ended as ERR; expected DONE"):
        write(scripted("PROC", "ERR"))


def test_a_transfer_that_does_not_end_has_a_deadline() -> None:
    with pytest.raises(StallError, match=r"a WRITE is still under way after 0\.0 s"):
        write(scripted("PROC", *["PROC"] * 100), left_s=0.01)


def test_the_notification_that_is_due_is_waited_for() -> None:
    agent = scripted(news=[{}, {"server": []}, {"server": [b"read 0"]}])
    agent.await_notification(b"read 0", 1.0)
    agent.progress()
    assert agent._agent.news == []


@pytest.mark.parametrize("heard", [[b"read 1"], [b"read 0", b"read 0"], [b""]])
def test_any_other_notification_is_named(heard: list[bytes]) -> None:
    with pytest.raises(AgentError, match=r"the notifications .* expected b'read 0'"):
        scripted(news=[{"server": heard}]).await_notification(b"read 0", 1.0)


def test_a_notification_that_does_not_come_has_a_deadline() -> None:
    with pytest.raises(StallError, match=r"no notification in 0\.0 s; expected b'read 0'"):
        scripted().await_notification(b"read 0", 0.01)


def test_a_notification_after_the_last_is_named() -> None:
    with pytest.raises(AgentError, match="expected none any more"):
        scripted(news=[{"server": [b"read 0"]}]).progress()


def test_a_backend_that_has_no_plugin_is_named_with_those_that_have() -> None:
    with pytest.raises(AgentError, match="there is no plugin UCCL; expected one of POSIX, UCX"):
        scripted()._create_backend()


def test_a_folder_of_plugins_is_named_when_the_library_will_not_start() -> None:
    with pytest.raises(AgentError, match="Its plugins were looked for in /srv/plugins alone"):
        _asked("nixl_agent", _refuse, fix=_where({PLUGINS: "/srv/plugins"}))
    assert _where({}) == ""


def _refuse() -> None:
    raise RuntimeError("No plugins available")


def test_a_python_without_the_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nixl", None)
    monkeypatch.setattr(os, "environ", {"UCX_LOG_LEVEL": "warn"})
    with pytest.raises(AgentError, match="NIXL's import refused: ModuleNotFoundError"):
        Agent("client", "UCX", {"UCX_NET_DEVICES": "eth1"})
    assert os.environ == {
        "NIXL_LOG_LEVEL": "ERROR",
        "UCX_LOG_LEVEL": "warn",
        "UCX_NET_DEVICES": "eth1",
    }
