"""A node's CPU time is told, and what of it was the role's: its threads', its children's."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from harness.plan import Assignment, Plan
from harness.roles.busy import Busy

LOOP = "import time; t = time.process_time()\nwhile time.process_time() < t + {}: pass"
SPENT_S = 0.3


def told(busy: Busy) -> tuple[float, float, float]:
    assignment = Assignment(
        plan=Plan(), role="server", node="alpha", nics=("eth1",), node_nics=("eth1",)
    )
    record = busy.record(assignment)
    assert (record.node, record.role) == ("alpha", "server")
    return record.own_s, record.programs_s, record.rest_s


def spend() -> None:
    until_s = time.process_time() + SPENT_S
    while time.process_time() < until_s:
        pass


def test_the_roles_own_work_is_its_own() -> None:
    busy, began_s = Busy(), time.monotonic()
    spend()
    own_s, programs_s, rest_s = told(busy)
    took_s = time.monotonic() - began_s
    assert SPENT_S - 0.03 <= own_s <= took_s + 0.03
    assert programs_s >= SPENT_S - 0.05
    cpus = os.cpu_count() or 1
    assert abs(programs_s + rest_s - cpus * took_s) < 0.1 * cpus * took_s + 0.05 * cpus


def test_so_is_that_of_children_which_were_waited_for() -> None:
    busy = Busy()
    member = multiprocessing.get_context("fork").Process(target=spend)
    member.start()
    member.join()
    own_s, _, _ = told(busy)
    assert own_s >= SPENT_S - 0.03


def test_and_of_those_that_still_run() -> None:
    with subprocess.Popen([sys.executable, "-c", LOOP.format(30)]) as child:
        try:
            spent_s = psutil.Process(child.pid).cpu_times()
            busy = Busy()
            until_s = time.monotonic() + 10
            while time.monotonic() < until_s:
                now = psutil.Process(child.pid).cpu_times()
                if now.user - spent_s.user > SPENT_S:
                    break
                time.sleep(0.01)
            own_s, _, _ = told(busy)
        finally:
            child.kill()
    assert own_s >= SPENT_S - 0.03


def test_what_somebody_else_spends_is_not() -> None:
    busy = Busy()
    orphan = '"$0" -c "$1" > /dev/null & echo $!'
    shell = ["sh", "-c", orphan, sys.executable, LOOP.format(SPENT_S)]
    said = subprocess.run(shell, capture_output=True, text=True, check=True)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(said.stdout)).wait(10)
    own_s, programs_s, _ = told(busy)
    assert programs_s >= SPENT_S - 0.05
    assert own_s < SPENT_S / 2
