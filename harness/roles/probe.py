"""The probe: what a node says of itself before any traffic, as one NodeFacts record.

`python -m harness.roles.probe NODE MANAGEMENT LABEL=NIC,... [PLUGIN]`. It reads and changes
nothing. It is a program of its own, on the leash as roles are, so that it finds their environment.
"""

from __future__ import annotations

import json
import sys
import time

from harness.evidence import NodeFacts, encode
from harness.facts import Sheet, cpus, environment, gpus, kernel, nics, plugin, tools
from harness.nic import devmem

MANAGEMENT = "management"


def facts(node: str, management: str, labelled: dict[str, str], wanted: str = "") -> NodeFacts:
    """`labelled` maps the label of each data NIC to its name here."""
    begun_s = time.monotonic()
    sheet = Sheet()
    kernel.tell(sheet)
    cpus.tell(sheet)
    nics.tell(sheet, labelled)
    environment.tell(sheet, {management: MANAGEMENT, **{v: k for k, v in labelled.items()}})
    plugin.tell(sheet, wanted)
    for kind in devmem.DONTNEED:
        sheet.tell(f"devmem.{kind}", "yes" if devmem.known(kind) else "no")
    gpus.tell(sheet)
    tools.tell(sheet)
    cost_s = round(time.monotonic() - begun_s, 6)
    return NodeFacts(node=node, facts=sheet.facts, unknown=sheet.unknown, cost_s=cost_s)


def main(arguments: list[str]) -> int:
    if not 3 <= len(arguments) <= 4:
        print(
            "usage: python -m harness.roles.probe NODE MANAGEMENT LABEL=NIC,... [PLUGIN]",
            file=sys.stderr,
        )
        return 2
    node, management, pairs, *wanted = arguments
    labelled = dict(pair.split("=", 1) for pair in pairs.split(","))
    print(json.dumps(encode(facts(node, management, labelled, *wanted))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
