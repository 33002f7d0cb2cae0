"""How a command ended that a test has run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def documents(self) -> list[Any]:
        """Standard output as JSON, a document a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        """The only line on standard error, as JSON."""
        (line,) = self.err.splitlines()
        return json.loads(line)["error"]


Run = Callable[..., Ended]
