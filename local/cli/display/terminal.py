"""Output on a terminal whose encoding lacks characters, such as Korean ones in ASCII: they are escaped."""

import io
import sys

from google.protobuf import json_format
from google.protobuf.message import Message


def degrade() -> None:
    """Has standard output escape what it can't encode, as standard error always does, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def as_json(message: Message) -> str:
    """A message on one line; in JSON's own escapes where the output isn't Unicode, so that it remains JSON."""
    encoding = (sys.stdout.encoding or "").lower()
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, indent=None, ensure_ascii=not encoding.startswith("utf")
    )
