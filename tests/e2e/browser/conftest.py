"""The browser that pages are tried in, and where it leaves its screenshots."""

import os
import platform
from pathlib import Path

import pytest

from local import npm
from tests.e2e.browser.bundle import packages

SCREENSHOTS = Path(__file__).parents[3] / "var" / "screenshots"  # CI keeps them


@pytest.fixture(scope="module")
def browser() -> Path:
    """The folder with the browser and what makes the page's program."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        pytest.skip("npm's Chromium is for Linux on x86-64")
    try:
        return packages()
    except npm.NoNode as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
