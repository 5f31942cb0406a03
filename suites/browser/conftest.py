"""A real browser, and pages in files as a reader has them.

There is no skip: whoever runs these tests wants a browser, and its absence fails them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.report.page import page as made
from suites.browser.chromium import find
from suites.browser.rich import rich
from suites.unit.report.page.made import many
from suites.unit.report.run import green

MISSING = (
    "no Chromium, neither playwright's own nor on PATH; expected one. Run "
    "`python -m suites.browser.chromium` or `apt-get install chromium`"
)
RUNS = {"green": green, "red": rich, "many": lambda: many(10_000)}
WIDE = {"width": 1280, "height": 900}
Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses root, which is what CI runs as.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = find(playwright) or pytest.fail(MISSING, pytrace=False)
        launched = playwright.chromium.launch(executable_path=found, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of all runs, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("pages")
    for name, entries in RUNS.items():
        (folder / f"{name}.html").write_text(made(entries()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in RUNS}


@pytest.fixture
def visit(browser: Browser, files: dict[str, Path], tmp_path: Path) -> Iterator[Open]:
    """Opens a run's page, or any text as a page; `scripts`, `scheme` and `width` as asked."""
    contexts = []

    def visit(
        name: str = "",
        *,
        text: str = "",
        scripts: bool = True,
        scheme: str = "light",
        width: int = 0,
    ) -> Page:
        context = browser.new_context(
            viewport={**WIDE, "width": width},
            java_script_enabled=scripts,
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        file = files[name] if name else tmp_path / "planted.html"
        if text:
            file.write_text(text, encoding="utf-8")
        opened = context.new_page()
        opened.goto(file.as_uri())
        return opened

    yield visit
    for context in contexts:
        context.close()
