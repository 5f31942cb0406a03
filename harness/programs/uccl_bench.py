"""UCCL's `bench_p2p.sh`: `test_tcpx_perf` with options, and an average without the warm-up.

It ends with 0 where it found no time of any iteration, and leaves its log in the folder in which it
was started, which must also hold `tests/`. What it sets wins over the environment, so the plan is
given as options.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping

from harness.plan import Plan
from harness.programs import uccl
from harness.programs.program import Command, Part, words
from harness.programs.uccl_perf import Perf


class BenchP2p(Perf):
    """One process a side, behind a script."""

    name = "bench_p2p.sh"

    def places(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return uccl.places(environ, self.name)

    def commands(self, part: Part) -> tuple[Command, ...]:
        role = uccl.role_words(part, str(part.plan.gpu))
        return (
            Command(
                words=words(part.place, *role, *_options(part), more=part.plan.arguments),
                environment={"UCCL_TCPX_NUM_CHANNELS": str(part.plan.channels)},
                folder=os.path.dirname(part.place),
            ),
        )


def _options(part: Part) -> tuple[str, ...]:
    plan: Plan = part.plan
    return (
        f"--ifaces={','.join(part.nics)}",
        f"--ctrl={part.management}",
        f"--size={plan.size_bytes}",
        f"--iters={plan.iterations}",
        f"--chunk={plan.chunk_bytes}",
        f"--nsocks={plan.sockets_per_channel}",
    )
