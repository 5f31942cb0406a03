"""The command that runs a test again."""

from __future__ import annotations

import shlex

from harness.evidence import RunStarted
from harness.report.exchanges import exchanges
from harness.report.page.replay import replay, seeds
from suites.unit.verdict.clean import clean

TEST = "suites/a.py::test_b[it's-1]"


def started(*command: str, **options: str | None) -> RunStarted:
    return RunStarted(
        tier="testbed", inventory={}, options=options, versions={}, command=("pytest", *command)
    )


def test_a_test_is_quoted_as_a_shell_needs_it() -> None:
    assert shlex.split(replay(TEST, None)) == ["pytest", TEST]


def test_own_options_are_kept_as_typed_and_others_are_not() -> None:
    run = started("-m", "hardware", "--hil-soak", "7", "--hil-nodes=x y.toml", "-n", "2")
    assert shlex.split(replay(TEST, run)) == [
        "pytest", "--hil-soak=7", "--hil-nodes=x y.toml", TEST,
    ]  # fmt: skip


def test_where_reports_go_is_not_repeated() -> None:
    assert "reports" not in replay(TEST, started("--hil-reports", "elsewhere"))


def test_a_test_that_is_run_again_is_no_night() -> None:
    assert "history" not in replay(TEST, started("--hil-history=kept.sqlite"))


def test_an_option_that_takes_no_value_takes_none() -> None:
    run = started("--hil-nixl-required", "suites/nixl")
    assert shlex.split(replay(TEST, run)) == ["pytest", "--hil-nixl-required", TEST]


def test_what_was_recorded_is_added_where_it_was_not_typed() -> None:
    run = started("--hil-memory=cuda", memory="cuda", transport="sockets", plugin=None)
    words = shlex.split(replay(TEST, run))
    assert sorted(words[1:-1]) == ["--hil-memory=cuda", "--hil-transport=sockets"]


def test_seeds_are_those_of_the_plans() -> None:
    told = exchanges([*clean("main-1", seed=3)]) + exchanges([*clean("main-2", seed=1)])
    assert (seeds(told), seeds([])) == ("seed 1, 3", "")
