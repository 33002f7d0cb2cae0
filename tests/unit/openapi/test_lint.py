"""Redocly on the description."""

from pathlib import Path

import pytest

from local.npm import NoNode
from local.stack.envoy import DESCRIPTION
from openapi.lint import lint


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    """A reference to nothing, say: `make check` fails with it."""
    broken = tmp_path / "openapi.yaml"
    broken.write_text(DESCRIPTION.read_text("utf-8").replace("/schemas/Session'", "/schemas/Nobody'"), "utf-8")
    try:
        found = lint(broken)
    except NoNode as missing:
        pytest.skip(str(missing))
    assert "no-unresolved-refs" in found
