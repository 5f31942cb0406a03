"""The rooms keep to their rules, and every rule can be broken: each is tried on a planted tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.unit import rooms

PROJECT = Path(__file__).parents[2]


def plant(root: Path, files: dict[str, str]) -> Path:
    """A small tree under `root`, with the packages that its files need."""
    for place, source in files.items():
        file = root / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        for folder in file.relative_to(root).parents:
            if folder.parts[:1] == ("harness",):
                (root / folder / "__init__.py").touch()
    return root


@pytest.mark.parametrize(
    "rule", [rooms.import_table, rooms.cycles, rooms.doors, rooms.node_side, rooms.mirror]
)
def test_the_project_keeps_the_rule(rule):
    assert rule(PROJECT) == []


@pytest.mark.parametrize("role", rooms.ROLES)
def test_a_role_starts_on_a_bare_node(role):
    assert rooms.bare_role(PROJECT, role) == []


def test_every_room_is_read():
    """Else a rule could hold because nothing was looked at."""
    seen = {module.room for module in rooms.modules(PROJECT)}
    assert {"errors", "plan", "evidence", "inventory", "nic", "faults", "roles"} <= seen
    assert seen <= set(rooms.TABLE)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("harness/verdict/check.py", "import harness.nodes"),
        ("harness/verdict/check.py", "from harness.nodes import connect"),
        ("harness/verdict/check.py", "from harness import nodes"),
        ("harness/verdict/check.py", "from ..nodes import connect"),
        ("harness/verdict/check.py", "def f():\n    import harness.nodes.ssh"),
        ("harness/verdict/check.py", "import importlib\nimportlib.import_module('harness.nodes')"),
        (
            "harness/verdict/check.py",
            "import typing\nif typing.TYPE_CHECKING:\n    from harness.nodes import Node",
        ),
        ("harness/roles/server.py", "from harness.nodes import Node"),
        ("harness/tcpx/session.py", "import harness.evidence"),
        ("harness/errors.py", "import harness.plan"),
        ("harness/report/junit.py", "import harness.cli.report"),
        ("harness/helpers/text.py", "import harness.errors"),
    ],
)
def test_a_forbidden_import_is_named(tmp_path, place, source):
    root = plant(tmp_path, {"harness/nodes/__init__.py": "", place: source})
    (wrong, *_) = rooms.import_table(root)
    assert wrong.startswith(place.removesuffix("/text.py"))


def test_what_the_table_allows_is_allowed(tmp_path):
    files = {
        "harness/verdict/check.py": "import json\nimport harness.errors, harness.plan.plan\n"
        "from harness import __version__\nfrom harness.evidence import Entry\n"
        "from . import other",
        "harness/verdict/other.py": "",
        "harness/evidence/records.py": "",
        "harness/roles/pair/run.py": "from harness.nodes import Node",
        "harness/cli/run.py": "import harness.testbed, harness.report",
        "harness/__main__.py": "from harness.cli import run",
    }
    assert rooms.import_table(plant(tmp_path, files)) == []


def test_rooms_in_a_circle_are_named(tmp_path):
    files = {"harness/bench/a.py": "import harness.nic", "harness/nic/b.py": "import harness.bench"}
    (wrong, *_) = rooms.cycles(plant(tmp_path, files))
    assert wrong.startswith("rooms in a circle")


def test_modules_in_a_circle_are_named(tmp_path):
    files = {
        "harness/nic/a.py": "from harness.nic.b import x",
        "harness/nic/b.py": "from harness.nic import a",
    }
    (wrong,) = rooms.cycles(plant(tmp_path, files))
    assert wrong.startswith("modules in a circle")


@pytest.mark.parametrize(
    ("place", "library"),
    [
        ("harness/roles/server.py", "paramiko"),
        ("harness/nodes/ssh.py", "pyroute2"),
        ("harness/roles/observer.py", "psutil"),
        ("harness/verdict/check.py", "junit_xml"),
        ("harness/tcpx/session.py", "cupy"),
        ("harness/cli/gpu.py", "pynvml"),
        ("harness/testbed/up.py", "pytest"),
        ("harness/cli/run.py", "xdist.plugin"),
        ("harness/verdict/check.py", "numpy"),
        ("harness/report/html.py", "socket"),
        ("harness/report/html.py", "jinja2"),
    ],
)
def test_a_library_through_the_wall_is_named(tmp_path, place, library):
    (wrong,) = rooms.doors(plant(tmp_path, {place: f"def f():\n    import {library}"}))
    assert wrong.startswith(f"{place}: {library.split('.')[0]} ")


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    pass\nexcept* ValueError:\n    pass",
        "import tomllib",
        "from enum import StrEnum",
        "from typing import Self",
        "import datetime\nnow = datetime.UTC",
        "import os\nos.setns(0)",
        "raise ExceptionGroup('x', [])",
    ],
)
def test_what_a_node_cannot_run_is_named(tmp_path, source):
    (wrong,) = rooms.node_side(plant(tmp_path, {"harness/nic/new.py": source}))
    assert wrong.startswith("harness/nic/new.py")


def test_the_controller_may_be_newer_than_a_node(tmp_path):
    assert rooms.node_side(plant(tmp_path, {"harness/inventory/toml.py": "import tomllib"})) == []


def test_a_role_that_drags_in_paramiko_is_named(tmp_path):
    files = {
        "harness/roles/server.py": "import harness.nodes.ssh",
        "harness/nodes/ssh.py": "import paramiko",
    }
    root = plant(tmp_path, files)
    assert rooms.bare_role(root, "server") == ["harness/roles/server.py: loads paramiko"]


def test_a_role_that_does_not_exist_or_import_is_named(tmp_path):
    root = plant(tmp_path, {"harness/roles/server.py": "import harness.nothing"})
    assert rooms.bare_role(root, "client") == ["harness/roles/client.py: there is no such role"]
    (wrong,) = rooms.bare_role(root, "server")
    assert "No module named 'harness.nothing'" in wrong


def test_a_unit_test_of_nothing_is_named(tmp_path):
    files = {
        "harness/nic/counters.py": "",
        "harness/tcpx/net/__init__.py": "",
        "suites/unit/nic/test_counters.py": "",
        "suites/unit/tcpx/test_net.py": "",
        "suites/unit/nic/test_counter.py": "",
    }
    (wrong,) = rooms.mirror(plant(tmp_path, files))
    assert wrong == "suites/unit/nic/test_counter.py: there is no harness/nic/counter.py"
