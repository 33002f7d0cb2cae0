"""Codes and reasons out of comments."""

import pytest

from openapi.errors import refusals

REASONS = ["SCAN_NOT_FOUND", "SCAN_STATE", "PHOTO_MISMATCH", "UNAVAILABLE", "INVALID_FIELD", "PROVIDER_UNAVAILABLE"]


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        (
            "Yes.\n\nCodes: NOT_FOUND (SCAN_NOT_FOUND), FAILED_PRECONDITION\n(SCAN_STATE: it ended, PHOTO_MISMATCH).",
            {"NOT_FOUND": {"SCAN_NOT_FOUND"}, "FAILED_PRECONDITION": {"SCAN_STATE", "PHOTO_MISMATCH"}},
        ),
        (
            "Codes: UNAVAILABLE (PROVIDER_UNAVAILABLE, UNAVAILABLE).",
            {"UNAVAILABLE": {"PROVIDER_UNAVAILABLE", "UNAVAILABLE"}},
        ),
        (
            "Codes: UNAUTHENTICATED, INVALID_ARGUMENT.",
            {"UNAUTHENTICATED": {"UNAUTHENTICATED"}, "INVALID_ARGUMENT": {"INVALID_FIELD"}},
        ),
        ("Every RPC may\nalso answer UNAVAILABLE (a store is down).", {"UNAVAILABLE": {"UNAVAILABLE"}}),
        ("Others' are NOT_FOUND.", {}),
    ],
)
def test_a_comment_names_codes_and_reasons(comment: str, found: dict[str, set[str]]) -> None:
    """However its lines break; what it says before doesn't count."""
    assert refusals(comment, REASONS) == found
