"""The workflows of .github and the examples for other CI systems: valid, bounded and not trusting.

Each rule is a function of a workflow that returns its violations, and is shown to fail on a planted
one. What commands they name is held to the programs by suites/selftest/test_readme.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
WORKFLOWS = sorted(PROJECT.glob(".github/workflows/*.yml"))
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.dependabot": [PROJECT / ".github/dependabot.yml"],
    "vendor.gitlab-ci": sorted(PROJECT.glob("docs/ci/gitlab-ci.yml")),
}
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}")
DEAF = re.compile(r"\|\|\s*(?:true|:)|set \+e|exit 0")
# Which jobs may write, and what.
WRITES = {"keep": {"contents"}, "publish": {"pages", "id-token"}}
TESTS = re.compile(r"\btox -e (?!lint)")
SCHEMA_S = 60.0

Workflow = dict[Any, Any]
Rule = Callable[[Workflow], Iterator[str]]


def jobs(workflow: Workflow) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from workflow["jobs"].items()


def steps(workflow: Workflow) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs(workflow):
        yield from ((name, step) for step in job["steps"])


def triggers(workflow: Workflow) -> set[str]:
    return set(workflow[True])  # what YAML 1.1 takes `on` for


def ends(workflow: Workflow) -> Iterator[str]:
    """Every job has an end, and two runs of a workflow do not meet unasked."""
    if "group" not in workflow.get("concurrency", {}):
        yield "no concurrency group"
    endless = (name for name, job in jobs(workflow) if "timeout-minutes" not in job)
    yield from (f"{name}: no timeout" for name in endless)


def least_privilege(workflow: Workflow) -> Iterator[str]:
    """Reading is what all may, writing what the table says; no job leaves its token in a checkout
    that others' code can read."""
    if workflow.get("permissions") not in ({}, {"contents": "read"}):
        yield "the workflow's own permissions"
    for name, job in jobs(workflow):
        writes = {what for what, how in job.get("permissions", {}).items() if how == "write"}
        yield from (f"{name}: may write {what}" for what in writes - WRITES.get(name, set()))
    for name, step in steps(workflow):
        kept = step.get("with", {}).get("persist-credentials", True)
        if "actions/checkout@" in step.get("uses", "") and kept and name not in WRITES:
            yield f"{name}: its checkout keeps the token"


def pinned(workflow: Workflow) -> Iterator[str]:
    """By commit, and GitHub's own: whoever runs our jobs is trusted already, nobody else."""
    used = [(name, step["uses"]) for name, step in steps(workflow) if "uses" in step]
    yield from (f"{name}: {uses}" for name, uses in used if not PINNED.fullmatch(uses))


def honest(workflow: Workflow) -> Iterator[str]:
    """An exit status is never swallowed."""
    yield from (f"{name}: continues" for name, job in jobs(workflow) if "continue-on-error" in job)
    for name, step in steps(workflow):
        if "continue-on-error" in step or DEAF.search(step.get("run", "")):
            yield f"{name}: {step.get('run', step.get('uses'))}"


def reported(workflow: Workflow) -> Iterator[str]:
    """A job that runs tests uploads its reports, green or red, and is red when there are none."""
    for name, job in jobs(workflow):
        uploads = [s for s in job["steps"] if "upload-artifact" in s.get("uses", "")]
        kept = any(
            s.get("if") == "always()" and s["with"].get("if-no-files-found") == "error"
            for s in uploads
        )
        if any(TESTS.search(s.get("run", "")) for s in job["steps"]) and not kept:
            yield f"{name}: reports of a red run are lost"


def not_for_strangers(workflow: Workflow) -> Iterator[str]:
    """A machine of one's own runs nobody else's code, and no text becomes a command."""
    foreign = triggers(workflow) & {"pull_request", "pull_request_target"}
    for name, job in jobs(workflow):
        if foreign and not str(job["runs-on"]).startswith("ubuntu-"):
            yield f"{name}: a pull request on {job['runs-on']}"
    for name, step in steps(workflow):
        if "${{" in step.get("run", ""):
            yield f"{name}: an expression in a command: {step['run']}"
    if "secrets" in str(workflow):
        yield "a secret"


RULES: tuple[Rule, ...] = (ends, least_privilege, pinned, honest, reported, not_for_strangers)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_keeps_the_rule(file: Path, rule: Rule) -> None:
    assert list(rule(yaml.safe_load(file.read_text()))) == []


GOOD = """
on: {push: {}}
concurrency: {group: a}
permissions: {contents: read}
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - {uses: actions/checkout@SHA, with: {persist-credentials: false}}
      - {run: tox -e testbed}
      - {uses: actions/upload-artifact@SHA, if: always(), with: {if-no-files-found: error}}
""".replace("SHA", "0123456789abcdef0123456789abcdef01234567")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_workflow_has_no_findings(rule: Rule) -> None:
    assert list(rule(yaml.safe_load(GOOD))) == []


@pytest.mark.parametrize(
    ("rule", "old", "new", "found"),
    [
        (ends, "timeout-minutes: 5", "name: x", "one: no timeout"),
        (ends, "concurrency: {group: a}", "", "no concurrency group"),
        (least_privilege, "permissions: {contents: read}", "", "the workflow's own"),
        (least_privilege, "    steps", "    permissions: {contents: write}\n    steps", "write"),
        (least_privilege, "persist-credentials: false", "path: x", "keeps the token"),
        (pinned, "checkout@0123456789abcdef0123456789abcdef01234567", "checkout@v7", "@v7"),
        (pinned, "actions/upload", "somebody/upload", "somebody/upload-artifact"),
        (honest, "tox -e testbed", "tox -e testbed || true", "|| true"),
        (honest, "if: always()", "continue-on-error: true", "upload-artifact"),
        (reported, "if: always(), ", "", "are lost"),
        (reported, "if-no-files-found: error", "path: x", "are lost"),
        (not_for_strangers, "tox -e testbed", "'echo ${{ github.head_ref }}'", "an expression"),
        (not_for_strangers, "tox -e testbed", "echo secrets.KEY", "a secret"),
    ],
)
def test_a_planted_violation_is_found(rule: Rule, old: str, new: str, found: str) -> None:
    assert old in GOOD
    assert any(found in line for line in rule(yaml.safe_load(GOOD.replace(old, new, 1))))


def test_a_pull_request_on_a_machine_of_ones_own_is_found() -> None:
    bad = GOOD.replace("push", "pull_request").replace("ubuntu-24.04", "[self-hosted, gpu]")
    assert any("a pull request on" in line for line in not_for_strangers(yaml.safe_load(bad)))


def valid(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    return subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, timeout=SCHEMA_S, check=False
    )


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_schema_takes_every_file(schema: str) -> None:
    assert SCHEMAS[schema], f"no file of {schema}"
    ran = valid(schema, *SCHEMAS[schema])
    assert ran.returncode == 0, ran.stdout


def test_the_schema_refuses_an_unknown_key(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text(GOOD.replace("runs-on", "runs-where"))
    assert "runs-where" in valid("vendor.github-workflows", bad).stdout
