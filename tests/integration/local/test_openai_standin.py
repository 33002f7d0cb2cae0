"""The OpenAI stand-in, judged by the official SDK: what it sends must be the real wire format."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from local.standins.openai import behaviour
from local.standins.openai.server import OpenAIStandIn, running

_SCHEMA = {
    "type": "object",
    "properties": {"outcome": {"type": "string", "enum": ["unsure", "classified"]}, "confidence": {"type": "number"}},
    "required": ["outcome", "confidence"],
    "additionalProperties": False,
}
_VALID = {"outcome": "classified", "confidence": 0.93}
_CHAT: dict[str, Any] = {
    "model": "gpt",
    "messages": [{"role": "user", "content": "look"}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": _SCHEMA}},
}
_RESPONSE: dict[str, Any] = {
    "model": "gpt",
    "input": "look",
    "text": {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": _SCHEMA}},
}


@pytest.fixture
async def stand_in() -> AsyncIterator[OpenAIStandIn]:
    async with running() as stand_in:
        yield stand_in


@pytest.fixture
async def sdk(stand_in: OpenAIStandIn) -> AsyncIterator[openai.AsyncOpenAI]:
    http = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(
        api_key="none", base_url=stand_in.base_url, max_retries=0, http_client=http
    ) as client:
        yield client


async def test_a_chat_completion_satisfies_the_schema(sdk: openai.AsyncOpenAI) -> None:
    """Tests of the services mean nothing unless the usual answer is valid."""
    completion = await sdk.chat.completions.create(**_CHAT)
    assert json.loads(completion.choices[0].message.content or "") == _VALID
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0


async def test_a_streamed_chat_completion_adds_up(sdk: openai.AsyncOpenAI) -> None:
    stream = await sdk.chat.completions.create(**_CHAT, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert json.loads(text) == _VALID
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


async def test_a_response_satisfies_the_schema(sdk: openai.AsyncOpenAI) -> None:
    response = await sdk.responses.create(**_RESPONSE)
    assert json.loads(response.output_text) == _VALID
    assert response.status == "completed"


async def test_a_streamed_response_ends_with_the_whole(sdk: openai.AsyncOpenAI) -> None:
    events = [event async for event in await sdk.responses.create(**_RESPONSE, stream=True)]
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert json.loads(deltas) == _VALID
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == deltas


async def test_a_limit_says_when_to_come_back(stand_in: OpenAIStandIn, sdk: openai.AsyncOpenAI) -> None:
    stand_in.script(behaviour.rate_limited(retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        await sdk.chat.completions.create(**_CHAT)
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.code == "rate_limit_exceeded"


async def test_a_cut_connection_is_seen_as_one(stand_in: OpenAIStandIn, sdk: openai.AsyncOpenAI) -> None:
    stand_in.script(behaviour.cut())
    stream = await sdk.chat.completions.create(**_CHAT, stream=True)
    with pytest.raises(openai.APIConnectionError):
        [chunk async for chunk in stream]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_refusal_has_no_content(stand_in: OpenAIStandIn, sdk: openai.AsyncOpenAI, streamed: bool) -> None:
    stand_in.script(behaviour.refusing())
    if streamed:
        stream = await sdk.chat.completions.create(**_CHAT, stream=True)
        deltas = [choice.delta async for chunk in stream for choice in chunk.choices]
        assert any(delta.refusal for delta in deltas)
        assert not any(delta.content for delta in deltas)
    else:
        message = (await sdk.chat.completions.create(**_CHAT)).choices[0].message
        assert message.refusal
        assert message.content is None
