"""When the demo opens the page: only where somebody sits before a screen."""

import pytest

from local.cli.screen import has_screen

CASES: dict[str, tuple[dict[str, str], str, bool, bool]] = {
    "X": ({"DISPLAY": ":0"}, "linux", True, True),
    "Wayland": ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True, True),
    "macOS": ({}, "darwin", True, True),
    "no screen": ({}, "linux", True, False),
    "an empty name": ({"DISPLAY": ""}, "linux", True, False),
    "CI": ({"DISPLAY": ":0", "CI": "true"}, "linux", True, False),
    "a pipe": ({"DISPLAY": ":0"}, "linux", False, False),
    "macOS from afar": ({"SSH_CONNECTION": "10.0.0.1 22"}, "darwin", True, False),
}


@pytest.mark.parametrize(("environ", "platform", "is_terminal", "wanted"), CASES.values(), ids=CASES)
def test_a_page_is_opened_where_somebody_sees_it(
    environ: dict[str, str], platform: str, is_terminal: bool, wanted: bool
) -> None:
    """A text browser in a terminal would take the demo over, one on a server would have nobody to look at it."""
    assert has_screen(environ, platform, is_terminal=is_terminal) is wanted
