"""What the library refuses becomes ours; with the library itself, see suites/nixl."""

from __future__ import annotations

import os

import pytest

from harness.errors import AgentError
from harness.roles.agents.library import Agent, _asked


def test_a_refusal_names_the_call_and_the_librarys_own_words() -> None:
    def refuse() -> None:
        raise KeyError("no such thing")

    with pytest.raises(AgentError, match=r"NIXL's deregister refused: KeyError: 'no such thing'"):
        _asked("deregister", refuse)


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
