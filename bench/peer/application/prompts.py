"""The requests that the other system sends to the model, taken down in this very run: the peer sends the same.

Only the photo, the question and the rules that apply are a scan's own.
"""

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from bench.peer.application import config

# The prompt's own words where the user has none; see `_recorded`.
Body = dict[str, Any]


def vision(photo: bytes, user_input: str | None) -> Body:
    """The request that classifies a clean photo."""
    body = _recorded()["vision"]
    system, user = body["messages"]
    parts = [_filled(part, photo, user_input) for part in user["content"]]
    return {**body, "messages": [system, {**user, "content": parts}]}


def answer(found: str, rules: Sequence[Mapping[str, Any]], question: str | None) -> Body:
    """The request that words the answer."""
    body = _recorded()["answer"]
    system, user = body["messages"]
    document = {**orjson.loads(user["content"]), "found": {"name": found, "tags": []}, "rules": rules}
    content = orjson.dumps({**document, "question": question or ""}).decode()
    return {**body, "messages": [system, {**user, "content": content}]}


@cache
def rules() -> Sequence[Mapping[str, Any]]:
    """The rules for the one thing that the model's stand-in sees."""
    found: Sequence[Mapping[str, Any]] = orjson.loads(_recorded()["answer"]["messages"][1]["content"])["rules"]
    return found


def _filled(part: Mapping[str, Any], photo: bytes, user_input: str | None) -> Mapping[str, Any]:
    if part["type"] == "image_url":
        url = "data:image/jpeg;base64," + base64.b64encode(photo).decode()
        return {**part, "image_url": {**part["image_url"], "url": url}}
    return {**part, "text": user_input or part["text"]}


@cache
def _recorded() -> Mapping[str, Body]:
    recorded: Mapping[str, Body] = orjson.loads(config.PROMPTS.read_bytes())
    return recorded
