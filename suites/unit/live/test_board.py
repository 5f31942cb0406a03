"""On a terminal: a block that goes, red tests that stay."""

from __future__ import annotations

from harness.live import Board, Scene
from suites.unit.live.screen import Screen, terminal_on
from suites.unit.report.run import run


def test_only_red_tests_stay_on_the_screen() -> None:
    screen, scene, entries = Screen(columns=400), Scene(), run()
    with terminal_on(screen) as terminal:
        board = Board(terminal)
        for entry in entries:
            scene.take([entry])
            board.show(scene, entry.wall_s)
            assert any(line.startswith("run run-1") for line in screen.text)
        board.close()
    assert [line.split("  ")[0] for line in screen.text] == [
        "FAIL test_integrity.py::TestSizes::test_any_size_arrives_whole[64-a::b]",
        "INCONCLUSIVE test_reach.py::test_every_node_runs_a_command",
        "ERROR test_reach.py::test_every_node_can_run_roles",
        "",
    ]
