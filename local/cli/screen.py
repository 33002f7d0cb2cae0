"""Whether there is a screen that a page can be shown on."""

from collections.abc import Mapping

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def has_screen(environ: Mapping[str, str], platform: str, *, is_terminal: bool) -> bool:
    """Whether somebody sits at this machine and can be shown a window: never in CI, nor where output isn't read.

    Args:
        environ: The environment.
        platform: As `sys.platform` names it.
        is_terminal: Whether a person reads what is printed.
    """
    if environ.get("CI") or not is_terminal:
        return False
    if platform == "darwin":
        return not environ.get("SSH_CONNECTION")
    return any(environ.get(name) for name in _SCREENS)
