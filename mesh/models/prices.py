"""What a hosted model costs, from `models.yaml` or a table of the operator's own."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mesh.settings import Misconfigured

_TABLE = Path(__file__).with_name("models.yaml")
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class UnknownModel(Misconfigured):
    """A model without a price: it could spend without anybody knowing."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one call read and wrote.

    Attributes:
        read: Input tokens, cached ones included.
        written: Output tokens, those of reasoning included.
        cached: How many of those read came from the provider's cache.
    """

    read: int
    written: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs, in US dollars a million tokens, which is millionths of a dollar a token.

    Attributes:
        input: For tokens read.
        cached_input: For tokens read from the provider's cache.
        output: For tokens written.
        image_tokens: What a cleaned photo counts, at most.
        parameters: What the request must say besides the prompt.
    """

    input: float
    cached_input: float
    output: float
    image_tokens: int
    parameters: Mapping[str, Any]

    def micro_usd(self, tokens: Tokens) -> int:
        """The cost in millionths of a dollar, rounded up."""
        fresh = tokens.read - tokens.cached
        cost = fresh * self.input + tokens.cached * self.cached_input + tokens.written * self.output
        return math.ceil(round(cost, 6))


def price(model: str, table: Path | None = None) -> Price:
    """The price of a model or of one of its dated snapshots.

    Args:
        model: Such as "gpt-4.1-mini" or "gpt-4.1-mini-2025-04-14".
        table: The operator's own table; its models come before ours.

    Raises:
        UnknownModel: It stands in no table.
    """
    for file in (table, _TABLE) if table else (_TABLE,):
        models = yaml.safe_load(file.read_text("utf-8"))["models"]
        row = models.get(model) or models.get(_SNAPSHOT.sub("", model))
        if row:
            return Price(
                row["input"],
                row.get("cached_input", row["input"]),
                row["output"],
                row.get("image_tokens", 0),
                row.get("parameters", {}),
            )
    raise UnknownModel(f"no price is known for the model {model!r}: add it to a table and set ECO2_MODEL_PRICES")
