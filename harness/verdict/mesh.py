"""The exchanges of a journal as one looks at them, those of a mesh with their mates.

Each exchange has its own plan, roles, sockets and ledger. What a mesh shares (the observers' view
of both nodes, the clocks) is written once, under the mesh's name, and each exchange of it sees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.evidence import Entry, ExchangePlanned
from harness.verdict.exchange import Exchange

ByName = Mapping[str, Sequence[Entry]]


def exchanges_of(entries: Sequence[Entry]) -> list[Exchange]:
    """Every planned exchange among `entries`, in the order of their plans."""
    by_name: dict[str, list[Entry]] = {}
    together: dict[str, list[Entry]] = {}
    order: dict[str, int] = {}
    for entry in entries:
        by_name.setdefault(entry.exchange, []).append(entry)
        if isinstance(entry.record, ExchangePlanned):
            together.setdefault(entry.record.mesh or entry.exchange, []).append(entry)
            order.setdefault(entry.exchange, len(order))
    found = [one for mesh, planned in together.items() for one in _mates(mesh, planned, by_name)]
    return sorted(found, key=lambda one: order[one.name])


def _mates(mesh: str, planned: Sequence[Entry], by_name: ByName) -> list[Exchange]:
    """The exchanges that ran together: each knows the others, and all began at the same time."""
    began_s = planned[0].at_s
    names = dict.fromkeys(entry.exchange for entry in planned)
    found = [Exchange(_entries(by_name, name, mesh), began_s=began_s) for name in names]
    for one in found:
        one.mates = tuple(found)
    return found


def _entries(by_name: ByName, name: str, mesh: str) -> list[Entry]:
    own = by_name[name]
    shared = by_name.get(mesh, ()) if mesh != name else ()
    return sorted([*own, *shared], key=lambda entry: entry.at_s) if shared else list(own)
