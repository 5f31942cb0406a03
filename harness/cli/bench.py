"""Measures ours beside other programs, on the embedded testbed, in turns within one run.

Every case gets a testbed of its own; within it all peers that are installed take turns, round by
round. Peers that are absent are listed as absent. With --require, a peer that is missing, a figure
that could not be had and a promise that is not kept each make the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from harness.bench import device, gpu, plot, ratios, table
from harness.bench.case import CASES
from harness.bench.peers import Peer, all_peers
from harness.bench.sections import SECTIONS, Sections
from harness.bench.sheet import Sheet
from harness.errors import PlanError
from harness.evidence import Journal
from harness.report import replace_file

SUMMARY = "measure ours beside other programs, and the harness's own cost"
GPU = "measure a GPU's unpacking and verifying beside copies"
DEVICE = "measure exchanges from device memory to device memory"
KNOWN_CASES = [case.name for case in CASES]
QUICK_ROUNDS, QUICK_SECONDS = 2, 1.0


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def channels(text: str) -> list[int]:
    """1 to 4, since the testbed has four NICs a node."""
    found = sorted({int(name) for name in names(text)})
    if not found or not 1 <= found[0] <= found[-1] <= 4:
        raise argparse.ArgumentTypeError(f"{text!r}, expected some of 1,2,3,4")
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="default %(default)s")
    add("--seconds", type=float, default=2.0, help="of a measurement, about; default %(default)s")
    add("--quick", action="store_true", help="a smoke test: two rounds of a second")
    add("--cases", type=names, default=KNOWN_CASES, help=f"of {','.join(KNOWN_CASES)}")
    add("--peers", type=names, default=[], metavar="PEER,PEER", help="only these")
    add("--channels", type=channels, default=[1, 2, 4], help="default 1,2,4")
    add("--sections", type=names, default=list(SECTIONS), help=f"of {','.join(SECTIONS)}")
    add("--require", type=names, default=[], metavar="PEER,PEER", help="exit 1 if one is absent, "
        "or a promise is not kept")  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write all figures here, and a plot beside it")
    add("--python-nixl", default=sys.executable, metavar="PYTHON", help="one that has nixl")
    add("--python-gloo", default=sys.executable, metavar="PYTHON", help="one that has torch")
    others = parser.add_subparsers(dest="section", metavar="[gpu|device]")
    add_gpu(others.add_parser("gpu", help=GPU))
    add_device(others.add_parser("device", help=DEVICE))


def add_gpu(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--rounds", type=int, default=gpu.LEAST_ROUNDS, help="default and least %(default)s")
    add("--kernel", default="", metavar="FILE:NAME", help="measure this kernel beside ours")
    add("--require", action="store_true", help="exit 1 if a promise is not kept")
    add("--json", type=Path, metavar="FILE", help="write all figures here")


def add_device(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="default %(default)s")
    add("--seconds", type=float, default=2.0, help="of a measurement, about; default %(default)s")
    add("--require", action="store_true", help="exit 1 if a promise is not kept")
    add("--json", type=Path, metavar="FILE", help="write all figures here")


def run_device(args: argparse.Namespace) -> int:
    sheet = device.measure(args.rounds, args.seconds, show)
    shares = [
        f"{name:36} {'not measured' if share is None else f'{share:.3f}'}"
        for name, share in sheet.shares().items()
    ]
    promises = table.of_ratios(sheet.ratios())
    print("\n".join([*table.of_rows(sheet.rows()), "", *shares, "", *promises]))
    if args.json:
        replace_file(args.json, json.dumps(sheet.to_json(), indent=1) + "\n")
    return told([*sheet.problems(), *(ratios.missed(sheet.ratios()) if args.require else [])])


def told(problems: Sequence[str]) -> int:
    """Name each problem; the exit status."""
    for problem in problems:
        print(f"MISSED {problem}")
    return 1 if problems else 0


def run_gpu(args: argparse.Namespace) -> int:
    if args.rounds < gpu.LEAST_ROUNDS:
        raise PlanError(f"--rounds {args.rounds}", expected=f"at least {gpu.LEAST_ROUNDS}")
    sheet = gpu.measure(args.rounds, kernel=args.kernel, show=show)
    print("\n".join([*sheet.table(), "", *table.of_ratios(sheet.ratios())]))
    if args.json:
        replace_file(args.json, sheet.to_json())
    return told(sheet.problems() if args.require else sheet.errors)


def run(args: argparse.Namespace) -> int:
    if args.section:
        return {"gpu": run_gpu, "device": run_device}[args.section](args)
    if args.quick:
        args.rounds, args.seconds = min(args.rounds, QUICK_ROUNDS), QUICK_SECONDS
    check(args.cases, KNOWN_CASES, "--cases")
    check(args.sections, SECTIONS, "--sections")
    known = all_peers(python_nixl=args.python_nixl, python_gloo=args.python_gloo)
    check([*args.peers, *args.require], [peer.name for peer in known], "--peers and --require")
    sheet = empty_sheet(args, known)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with closing(Journal(Path(folder), "bench")) as journal:
            measure(args, sheet, known, journal)
    print("\n".join(["", *table.of_sheet(sheet)]))
    if args.json:
        replace_file(args.json, sheet.to_json())
        replace_file(args.json.with_suffix(".svg"), plot.svg(sheet.rows, sheet.growth))
    return told(sheet.problems(args.require) if args.require else sheet.errors)


def check(given: Collection[str], known: Collection[str], option: str) -> None:
    """Refuse a word that nothing goes by, before anything is measured."""
    if wrong := sorted(set(given) - set(known)):
        raise PlanError(f"{option} has {wrong}", expected=f"some of {list(known)}")


def empty_sheet(args: argparse.Namespace, known: Sequence[Peer]) -> Sheet:
    """Who is here, and who is not."""
    found = {peer.name: peer.find() for peer in known}
    for peer in known:
        show(f"{peer.name:14} {found[peer.name] or f'absent: {peer.install}'}")
    wanted = ("rounds", "seconds", "quick", "cases", "channels", "sections", "peers", "require")
    options = {name: getattr(args, name) for name in wanted}
    return Sheet(found=found, install={p.name: p.install for p in known}, options=options)


def measure(
    args: argparse.Namespace, sheet: Sheet, known: Sequence[Peer], journal: Journal
) -> None:
    """All sections that were asked for, with the peers that are here."""
    here = [peer for peer in known if sheet.found[peer.name]]
    sections = Sections(
        sheet=sheet,
        journal=journal,
        peers=[peer for peer in here if not args.peers or peer.name in args.peers],
        cases=args.cases,
        channels=args.channels,
        rounds=args.rounds,
        seconds=args.seconds,
        quick=args.quick,
        show=show,
    )
    sections.measure(args.sections)


def show(line: str) -> None:
    print(line, flush=True)
