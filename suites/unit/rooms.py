"""The rules between rooms, as functions of a source tree: each returns its violations, one a line.

They take a root folder, so that every rule can be shown to fail on a small tree with a planted
violation. Imports are read by AST: deferred ones, those under TYPE_CHECKING and those by a constant
name count as much as any other.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ANY = None  # may import every room

# room -> rooms that it may import, besides itself and the free ones
FREE = {"", "errors", "plan"}  # '' is the package itself: a docstring and the version
TABLE: dict[str, set[str] | None] = {
    "": set(),
    "errors": set(),
    "plan": {"errors"},
    "preset": set(),
    "evidence": set(),
    "inventory": {"preset"},
    "nodes": {"inventory", "evidence"},
    "testbed": {"inventory", "nodes"},
    "tcpx": set(),
    "nixl": {"tcpx"},
    "nic": {"evidence"},
    "facts": {"nic"},
    "faults": {"nodes", "evidence"},
    "programs": {"evidence"},
    "roles": {"tcpx", "nic", "facts", "programs", "evidence"},
    "verdict": {"evidence"},
    "report": {"evidence", "verdict", "history"},
    "live": {"evidence", "verdict"},
    "history": {"evidence", "verdict"},
    "regression": {"history", "evidence", "verdict"},
    "bundle": set(),
    "artefact": set(),
    "preflight": {"inventory", "nodes", "evidence", "artefact", "verdict"},
    "bench": ANY,
    "cli": ANY,
    "__main__": ANY,
}
# The controller's side of the roles room, which never runs on a node.
CONTROLLER_FILES = ("roles/pair/",)
CONTROLLER_MAY = {"nodes"}
LEAVES = {"cli", "__main__"}  # nobody imports these, but __main__ its subcommands

# outside library -> the only places that may import it; none: nowhere in harness
DOORS: dict[str, tuple[str, ...]] = {
    "paramiko": ("nodes/",),
    "cryptography": ("nodes/",),  # paramiko's keys
    "pyroute2": ("testbed/",),
    "psutil": ("nic/",),
    "junit_xml": ("report/",),
    "cupy": ("tcpx/cuda/", "bench/drivers/"),
    "elftools": ("artefact/",),
    "pyarrow": ("history/export.py",),
    "pynvml": ("nic/",),
    "numpy": ("tcpx/", "roles/", "nic/", "bench/drivers/", "regression/"),
    "scipy": ("regression/scipy_stats.py",),
    # What a bench compares with, in whatever Python has it.
    "nixl": ("bench/drivers/", "roles/agents/"),
    "torch": ("bench/drivers/",),
    "pytest": (),
    "_pytest": (),
    "xdist": (),
    # In the standard library, and yet a door: the transport's sockets, a node's ssh, the testbed's
    # doors, netlink and ioctl of the NIC rooms. Who else opened one would be a second transport.
    "socket": ("tcpx/", "nodes/", "testbed/", "nic/", "faults/link_program.py", "bench/drivers/"),
}

# What runs on a node, on its own Python 3.10 or newer.
NODE_SIDE = (
    "__init__.py",
    "errors.py",
    "plan/",
    "evidence/",
    "tcpx/",
    "nic/",
    "facts/",
    "programs/",
    "nixl/",
    "roles/",
    "faults/link_program.py",
    "faults/rate_program.py",
    "nodes/leash.py",
)
NODE_PYTHON = (3, 10)
NEWER_MODULES = {"tomllib"}
NEWER_NAMES = {
    "asyncio": {"TaskGroup", "Runner", "timeout", "timeout_at", "Barrier"},
    "builtins": {"ExceptionGroup", "BaseExceptionGroup"},
    "contextlib": {"chdir"},
    "datetime": {"UTC"},
    "enum": {"StrEnum", "ReprEnum", "verify", "member", "nonmember", "global_enum", "EnumCheck"},
    "hashlib": {"file_digest"},
    "itertools": {"batched"},
    "logging": {"getLevelNamesMapping"},
    "math": {"cbrt", "exp2", "sumprod"},
    "operator": {"call"},
    "os": {"unshare", "setns"},
    "typing": {
        "LiteralString",
        "Never",
        "NotRequired",
        "Required",
        "Self",
        "TypeVarTuple",
        "Unpack",
        "assert_never",
        "assert_type",
        "dataclass_transform",
        "override",
        "reveal_type",
    },
}
# Tests of no file: the rules, what people read, what every implementation of a Protocol must pass.
NO_MIRROR = (
    "test_rooms.py",
    "test_docs.py",
    "test_seeds.py",
    "test_workflows.py",
    "tcpx/net/test_conformance.py",
    "tcpx/unpack/test_conformance.py",
    "tcpx/unpack/test_mutations.py",
    "tcpx/cuda/test_sanitizer.py",
    "regression/test_planted.py",
)
ROLES = ("server", "client", "observer", "probe", "hosted")
NOT_ON_A_NODE = {
    *("paramiko", "pytest", "_pytest", "xdist", "pyroute2", "junit_xml", "tomllib", "scipy"),
}


@dataclass(frozen=True)
class Module:
    """One file of harness/: its place, its dotted name and the modules that it names."""

    place: str  # relative to harness/, as posix
    tree: ast.Module

    @property
    def name(self) -> str:
        parts = ["harness", *self.place.removesuffix(".py").split("/")]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        return room_of(self.name)

    def imports(self) -> Iterator[str]:
        """Every module that is imported, with `from a import b` as a.b."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                start = self._absolute(node)
                yield from (f"{start}.{alias.name}" for alias in node.names)
            elif (name := _imported_by_call(node)) is not None:
                yield name

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        drop = node.level - self.place.endswith("__init__.py")
        return ".".join([*package[: len(package) - drop], *filter(None, [node.module])])


def _imported_by_call(node: ast.AST) -> str | None:
    """The constant in import_module("x") or __import__("x")."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    called = node.func.attr if isinstance(node.func, ast.Attribute) else None
    called = node.func.id if isinstance(node.func, ast.Name) else called
    first = node.args[0]
    if called not in ("import_module", "__import__") or not isinstance(first, ast.Constant):
        return None
    return str(first.value)


def room_of(name: str) -> str:
    return [*name.split("."), ""][1]


def modules(root: Path) -> list[Module]:
    """All of harness/, parsed."""
    base = root / "harness"
    files = sorted(base.rglob("*.py"))
    return [Module(f.relative_to(base).as_posix(), ast.parse(f.read_text(), f)) for f in files]


def _within(place: str, places: tuple[str, ...]) -> bool:
    return any(place == p or (p.endswith("/") and place.startswith(p)) for p in places)


def import_table(root: Path) -> list[str]:
    """Rooms import only what the table says."""
    found = modules(root)
    rooms = {module.room for module in found}
    wrong = [f"harness/{room}: not a room of the table" for room in sorted(rooms - set(TABLE))]
    for module in found:
        for name in module.imports():
            room = _target(name, rooms)
            if room is not None and not _may_import(module, room):
                wrong.append(f"harness/{module.place}: may not import {name}")
    return wrong


def _target(name: str, rooms: set[str]) -> str | None:
    """The room of an imported name; None outside of harness; '' for harness.__version__."""
    if name.split(".")[0] != "harness":
        return None
    room = room_of(name)
    return room if room in rooms or room in TABLE else ""


def _may_import(module: Module, room: str) -> bool:
    allowed = TABLE.get(module.room, set())
    if room == module.room or (room in FREE and module.room not in FREE):
        return True
    if room in LEAVES:
        return module.room == "__main__"
    if allowed is ANY or room in allowed:
        return True
    return _within(module.place, CONTROLLER_FILES) and room in CONTROLLER_MAY


def cycles(root: Path) -> list[str]:
    """No room, and no module, imports itself by a detour."""
    found = modules(root)
    names = {module.name for module in found}
    by_module = {m.name: {_nearest(n, names) for n in m.imports()} - {"", m.name} for m in found}
    by_room: dict[str, set[str]] = {}
    for name, targets in by_module.items():
        room = room_of(name)
        by_room.setdefault(room, set()).update({room_of(t) for t in targets} - {room})
    return [*_cycle("rooms", by_room), *_cycle("modules", by_module)]


def _nearest(name: str, names: set[str]) -> str:
    """The module that an imported name lives in."""
    while name and name not in names:
        name = name.rpartition(".")[0]
    return "" if name == "harness" else name


def _cycle(what: str, graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"{what} in a circle: {' <- '.join(error.args[1])}"]
    return []


def doors(root: Path) -> list[str]:
    """An outside library enters by one room, and none enters that has no door."""
    wrong = []
    for module in modules(root):
        for library in sorted({name.split(".")[0] for name in module.imports()} - {"harness"}):
            if library in DOORS:
                if not _within(module.place, DOORS[library]):
                    where = " or ".join(DOORS[library]) or "nothing in harness/"
                    wrong.append(f"harness/{module.place}: {library} is for {where}")
            elif library not in sys.stdlib_module_names:
                wrong.append(f"harness/{module.place}: {library} has no door")
    return wrong


def node_side(root: Path) -> list[str]:
    """What runs on a node is Python 3.10, in grammar and in the names that it uses."""
    wrong = []
    for module in modules(root):
        if _within(module.place, NODE_SIDE):
            place = f"harness/{module.place}"
            source = (root / place).read_text()
            try:
                tree = ast.parse(source, feature_version=NODE_PYTHON)
            except SyntaxError as error:
                wrong.append(f"{place}:{error.lineno}: {error.msg}")
                continue
            wrong += [f"{place}: {name} is newer than Python 3.10" for name in _newer(module, tree)]
    return wrong


def _newer(module: Module, tree: ast.Module) -> list[str]:
    used = set(module.imports())
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Name):
            used.add(f"builtins.{node.id}")
    newer = {f"{home}.{name}" for home, names in NEWER_NAMES.items() for name in names}
    return sorted(n for n in used if n in newer or n.split(".")[0] in NEWER_MODULES)


def bare_role(root: Path, role: str) -> list[str]:
    """Importing a role loads nothing that a node need not have."""
    if not (root / "harness" / "roles" / f"{role}.py").is_file():
        return [f"harness/roles/{role}.py: there is no such role"]
    program = (
        f"import sys; sys.path.insert(0, {str(root)!r}); import harness.roles.{role} as role; "
        f"assert role.__file__.startswith({str(root)!r}), role.__file__; "
        f"print(*sorted(set(sys.modules) & {NOT_ON_A_NODE!r}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    if ran.returncode:
        return [f"harness/roles/{role}.py: cannot be imported: {ran.stderr.strip()[-500:]}"]
    return [f"harness/roles/{role}.py: loads {name}" for name in ran.stdout.split()]


def mirror(root: Path) -> list[str]:
    """Every unit test's file says by its name which file of harness/ it tests."""
    unit = root / "suites" / "unit"
    wrong = []
    for file in sorted(unit.rglob("test_*.py")):
        place = file.relative_to(unit)
        subject = root / "harness" / place.parent / place.name.removeprefix("test_")
        package = subject.with_suffix("") / "__init__.py"
        if place.as_posix() not in NO_MIRROR and not (subject.is_file() or package.is_file()):
            wrong.append(f"suites/unit/{place}: there is no {subject.relative_to(root)}")
    return wrong
