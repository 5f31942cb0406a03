"""Shows an environment preset, or what two of them say differently.

`env show` without a name lists the presets. Names are marked by who reads them; a name that nobody
reads does nothing.
"""

from __future__ import annotations

import argparse

from harness.preset import Preset, differences, load, names, presets

SUMMARY = "environment presets: who sets what, and who reads it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True, metavar="show|diff")
    show = what.add_parser("show", help="a preset, or the names of all")
    show.add_argument("preset", nargs="?", metavar="NAME")
    diff = what.add_parser("diff", help="what two presets say differently")
    diff.add_argument("presets", nargs=2, metavar="NAME")


def run(args: argparse.Namespace) -> int:
    """`diff` ends with 1 when there is a difference, as diff does."""
    if args.what == "diff":
        lines = compared(*map(load, args.presets))
        print("\n".join(lines))
        return int(len(lines) > 1)
    print("\n".join(shown(load(args.preset)) if args.preset else listed()))
    return 0


def listed() -> list[str]:
    known = [load(name) for name in presets()]
    width = max(len(preset.name) for preset in known)
    return [f"{preset.name:{width}}  {preset.title}" for preset in known]


def shown(preset: Preset) -> list[str]:
    """The preset, a line a name: value, who reads it."""
    lines = [f"{preset.name}: {preset.title}", f"from {preset.source}"]
    lines += [f"its script confines the program to CPUs {preset.cpus}"] if preset.cpus else []
    width = max(map(len, preset.environment))
    for name, value in sorted(preset.environment.items()):
        lines.append(f"  {name:{width}}  {value}  [{readers(name)}]")
    lines += [f"  {name:{width}}  left open: {why}" for name, why in preset.left_open.items()]
    read = [name for name in preset.environment if (n := names().get(name)) and n.by_plugin]
    lines.append(f"{len(read)} of {len(preset.environment)} names are read by the plugin")
    return lines


def compared(first: Preset, second: Preset) -> list[str]:
    found = differences(first.environment, second.environment)
    lines = [f"{first.name} and {second.name}: {len(found)} names differ"]
    for one in found:
        lines.append(f"  {one.name}  [{readers(one.name)}]")
        lines += [f"    {first.name}: {one.first}", f"    {second.name}: {one.second}"]
    return lines


def readers(name: str) -> str:
    """`read by plugin, nccl`, or `READ BY NOBODY`."""
    known = names().get(name)
    if known is None:
        return "read by whoever loads libraries"
    return f"read by {known.readers}" if known.read_by else f"READ BY NOBODY: {known.meaning}"
