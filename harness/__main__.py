"""`python -m harness COMMAND`: finds the command's file in harness/cli and runs it.

An error of ours is one sentence on stderr and exit status 2; a traceback means a bug.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import harness.cli
from harness import __version__
from harness.errors import HarnessError


def build_parser(commands: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows `commands` (importing no other command's file)."""
    parser = argparse.ArgumentParser(prog="python -m harness", description=harness.__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--version", action="version", version=f"tcpx-harness {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands:
        module = import_module(f"harness.cli.{name}")
        sub = subparsers.add_parser(name, help=module.SUMMARY, description=module.__doc__)
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str]) -> int:
    names = sorted(module.name for module in iter_modules(harness.cli.__path__))
    wanted = [argv[0]] if argv and argv[0] in names else names
    args = build_parser(wanted).parse_args(argv)
    try:
        return int(args.run(args))
    except HarnessError as error:
        print(f"{error.klass}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
