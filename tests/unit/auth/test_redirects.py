"""Where people may be sent back to."""

import pytest

from auth_svc.sign_in.redirects import RedirectTargets

TARGETS = RedirectTargets(["https://app.example/signed-in", "eco2://signed-in", "http://127.0.0.1/callback"])


@pytest.mark.parametrize(
    "target",
    [
        "https://app.example/signed-in",
        "eco2://signed-in",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:49152/callback",
        "http://127.0.0.1:65535/callback",
    ],
)
def test_what_is_listed_is_allowed(target: str) -> None:
    """On loopback at any port: a program takes what is free (RFC 8252)."""
    assert target in TARGETS


@pytest.mark.parametrize(
    "target",
    [
        "",
        "https://app.example",
        "https://app.example/signed-in/",
        "https://app.example/signed-in?next=https://evil.example",
        "https://app.example:444/signed-in",
        "https://app.example.evil.example/signed-in",
        "https://app.example@evil.example/signed-in",
        "HTTPS://app.example/signed-in",
        "http://app.example/signed-in",
        "eco2://signed-in/x",
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:١/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:80:80/callback",
        "http://127.0.0.1.evil.example:80/callback",
        "https://127.0.0.1:49152/callback",
        "http://localhost:49152/callback",
        "http://[::1]:49152/callback",
        "http://127.0.0.1:49152/callback#x",
    ],
)
def test_nothing_else_is(target: str) -> None:
    """A redirect that can be bent hands the code to somebody else."""
    assert target not in TARGETS
