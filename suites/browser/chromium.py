"""Where a Chromium is: playwright's own, or one on PATH. Run as a program, it sees to it that there
is one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find(playwright: Playwright) -> str:
    """Its path; '' when there is none."""
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    return next(filter(None, map(shutil.which, NAMES)), "")


def main() -> int:
    with sync_playwright() as playwright:
        found = find(playwright)
    if found:
        print(f"Chromium: {found}")
        return 0
    install = [sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]
    return subprocess.run(install, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
