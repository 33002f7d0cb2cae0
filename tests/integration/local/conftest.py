"""Stacks that tests may break."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.local.stacks import Up
from tests.support.stack_folders import stack_folder


@pytest.fixture
def up() -> Iterator[Callable[..., Up]]:
    """Starts a stack, in a folder of the test's own unless one is given."""
    with stack_folder() as folder, ExitStack() as exits:

        def start(var: Path = folder / "var", **options: object) -> Up:
            stack = Up(var, **options)
            exits.callback(stack.close)
            return stack

        yield start
