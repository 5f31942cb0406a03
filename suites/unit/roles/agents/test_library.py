"""What the library refuses becomes ours; with the library itself, see suites/nixl."""

from __future__ import annotations

import os

import pytest

from harness.errors import AgentError
from harness.roles.agents.library import PLUGINS, Agent, _asked, _where


def test_a_refusal_names_the_call_and_the_librarys_own_words() -> None:
    with pytest.raises(AgentError, match=r"NIXL's deregister refused: RuntimeError: No plugins"):
        _asked("deregister", _refuse)


class Plugins:
    """What the library says that it has."""

    def get_plugin_list(self) -> list[str]:
        return ["UCX", "POSIX"]


def test_a_backend_that_has_no_plugin_is_named_with_those_that_have() -> None:
    agent = object.__new__(Agent)
    agent.backend, agent._agent = "UCCL", Plugins()
    with pytest.raises(AgentError, match="there is no plugin UCCL; expected one of POSIX, UCX"):
        agent._create_backend()


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
