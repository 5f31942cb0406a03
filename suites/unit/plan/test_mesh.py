"""Plans that run at once: each GPU has its own, and nobody takes another's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.errors import PlanError
from harness.plan import Plan
from harness.plan.mesh import check_mesh, full_mesh


def test_every_gpu_has_a_plan_with_a_port_and_a_nic_of_its_own() -> None:
    plans = full_mesh(Plan(), range(8))
    assert [plan.gpu for plan in plans] == list(range(8))
    assert [plan.port for plan in plans] == list(range(20000, 20008))
    assert {(p.own_nic, p.channels, p.sockets_per_channel) for p in plans} == {(True, 2, 2)}


@pytest.mark.parametrize(
    ("plans", "words"),
    [
        ((), "it has no plans"),
        ((Plan(gpu=3), Plan(gpu=3)), "several plans have GPU 3; several plans have port 20003"),
        ((Plan(gpu=0), Plan(gpu=1, port_base=19999)), "several plans have port 20000"),
        ((Plan(program="iperf3"),), "GPU 0 runs iperf3, expected a transfer of ours"),
        ((Plan(exercise="window"),), "GPU 0 runs window, expected a transfer of ours"),
    ],
)
def test_plans_that_cannot_run_at_once_are_refused(plans: tuple[Plan, ...], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        check_mesh(plans)


def test_a_mesh_of_no_gpus_is_refused() -> None:
    with pytest.raises(PlanError, match="it has no plans"):
        full_mesh(Plan(), ())


def test_whose_nics_are_somebody_elses_choice_cannot_keep_to_one() -> None:
    with pytest.raises(PlanError, match="own_nic is for channels of ours, not for iperf3"):
        Plan(program="iperf3", own_nic=True)
    agents = Plan(exercise="nixl-write", channels=1, rails=4)
    with pytest.raises(PlanError, match="own_nic is for channels of ours, not for nixl-write"):
        replace(agents, own_nic=True)
