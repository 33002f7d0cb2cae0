"""The script's limits, held against the protos."""

import re
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor import Descriptor

from tests.support.edge.rest_contract import is_public, rpcs

SCRIPT = (Path(__file__).parents[3] / "envoy" / "edge.lua").read_text(encoding="utf-8")


def limits() -> dict[str, int]:
    """What the script says before its code, by name."""
    found: dict[str, int] = {}
    for names, values in re.findall(r"^local ([A-Z_, ]+) = ([\d, *]+)$", SCRIPT, re.MULTILINE):
        for name, value in zip(names.split(", "), values.split(", "), strict=True):
            found[name] = int(value) if value.isdigit() else 0
    return found


def paths(message: Descriptor, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path a body may have, in both spellings."""
    for field in message.fields:
        assert len(above) < 20, "a request that holds itself has no limit"
        for name in {field.name, field.camelcase_name}:
            yield (*above, name)
            if field.message_type:
                yield from paths(field.message_type, (*above, name))


def test_no_body_of_ours_reaches_a_limit_of_the_script() -> None:
    """So a body that does has named something unknown before, and is refused."""
    limit = limits()
    for rpc in filter(is_public, rpcs()):
        possible = list(paths(rpc.input_type))
        assert len(possible) < limit["MOST_NAMES"], rpc.full_name
        assert max((len(path) for path in possible), default=0) < limit["DEEPEST"]
        assert max((len(name) for path in possible for name in path), default=0) < limit["LONGEST_NAME"]
