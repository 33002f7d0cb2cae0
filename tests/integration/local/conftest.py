"""Stacks that tests may break."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.local.stacks import Up


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Starts a stack, in a folder of the test's own unless one is given."""
    with ExitStack() as exits:

        def start(var: Path = tmp_path / "var", **options: object) -> Up:
            stack = Up(var, **options)
            exits.callback(stack.close)
            return stack

        yield start
