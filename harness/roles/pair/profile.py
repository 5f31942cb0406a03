"""A profiler around a role, on the nodes that have it.

The profile stays on its node, beside the roles' code; RoleStarted's command says where. A profiler
starts slower than a role and writes its file when the role has ended, silently: it gets its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from harness.nodes import Node

PROFILERS = ("nsys",)
ENDING_S = 60.0  # for the profiler to write its file
TRACED = "cuda,nvtx,osrt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`programs` are the profiler's paths by node; a node without one runs its roles bare."""

    programs: Mapping[str, str] = field(default_factory=dict)

    def around(self, node: Node, label: str, command: Sequence[str]) -> list[str]:
        """The command that runs `command` profiled; `label` tells the file from all others."""
        program = self.programs.get(node.spec.name, "")
        if not program:
            return list(command)
        file = PurePosixPath(node.provision()).parent / f"profile-{label}"
        options = [f"--trace={TRACED}", "--sample=none", f"--output={file}"]
        return [program, "profile", *options, *command]

    def ending_s(self, node: str) -> float:
        """How long a role of this node may be silent and late on top."""
        return ENDING_S if self.programs.get(node) else 0.0
