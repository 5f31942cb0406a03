from __future__ import annotations

from typing import cast

from harness.nodes import Node
from harness.roles.pair.profile import ENDING_S, Profile
from suites.unit.roles.pair.stage import Stage


def node(name: str) -> Node:
    return cast(Node, Stage(name, {}))


def test_a_role_runs_under_the_profiler_of_its_node() -> None:
    profile = Profile(programs={"a": "/opt/nsys"})
    assert profile.around(node("a"), "n-server", ["python3", "-m", "x"]) == [
        "/opt/nsys",
        "profile",
        "--trace=cuda,nvtx,osrt",
        "--sample=none",
        "--output=/profile-n-server",
        "python3",
        "-m",
        "x",
    ]
    assert profile.ending_s("a") == ENDING_S


def test_a_node_without_one_runs_its_roles_bare() -> None:
    profile = Profile(programs={"a": "/opt/nsys"})
    assert profile.around(node("b"), "n-client", ["python3"]) == ["python3"]
    assert profile.ending_s("b") == 0.0
