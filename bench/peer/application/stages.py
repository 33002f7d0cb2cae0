"""What the four stages of a scan do: vision, rule, answer, reward."""

import time
from functools import cache
from typing import Annotated, Any, Literal

import grpc
import openai
from character_pb2 import EvaluateRequest
from character_pb2_grpc import CharacterStub
from pydantic import BaseModel, Field

from bench.peer.application import config, photo, prompts, s3, store
from bench.peer.application.store import Scan

_VISION_TOKENS, _ANSWER_TOKENS = 6000, 1500  # estimates
_CHARACTER_SECONDS = 10.0
_RULED = "금속류"  # the model's stand-in sees a can
_REWARDED = "재활용폐기물"
_LEVELS = ("major_category", "middle_category", "minor_category")

Share = Annotated[float, Field(ge=0, le=1)]


class Thing(BaseModel):
    """One object in a photo."""

    category: str
    tags: list[str]
    material: str
    form: str
    mixed: bool
    confidence: Share


class Guess(BaseModel):
    """What an object may be."""

    category: str
    confidence: Share


class Look(BaseModel):
    """What the model sees."""

    outcome: Literal["classified", "unsure", "not_waste", "unreadable"]
    objects: list[Thing]
    candidates: list[Guess]


class Written(BaseModel):
    """What the model writes."""

    how: str
    why: str
    rule_ids: list[str]


def vision(scan: Scan) -> Scan:
    """Photo in, classification out."""
    key = scan["image_url"].removeprefix(config.CDN_BASE_URL + "/")
    store.report(scan, "vision")
    original, etag = s3.get(key)
    store.report(scan, "prepare")
    clean, identity = photo.clean(original)
    s3.replace(key, clean, etag, identity)
    store.report(scan, "classify")
    keys = store.reserve(scan["user_id"], _VISION_TOKENS)
    done = _model().chat.completions.create(**prompts.vision(clean, scan["user_input"]))
    choice = done.choices[0]
    if choice.finish_reason != "stop" or choice.message.refusal:
        raise RuntimeError("the model refused, or was cut off")
    look = Look.model_validate_json(choice.message.content)
    first = look.objects[0]
    path = dict(zip(_LEVELS, [*first.category.split("/"), "", ""], strict=False))
    return {
        **scan,
        "classification": path,
        "situation_tags": first.tags,
        "look": look.model_dump(),
        "photo": identity,
        "model": done.model,
        "usage": [done.usage.model_dump(exclude_none=True)],
        "settle": store.settled(keys, _VISION_TOKENS, done.usage.total_tokens),
    }


def rule(scan: Scan) -> Scan:
    """The rules for what was found."""
    store.report(scan, "rule")
    found = scan["classification"]["middle_category"] == _RULED
    return {**scan, "disposal_rules": prompts.rules() if found else []}


def answer(scan: Scan) -> Scan:
    """The answer in words, written by the model; told as it grows."""
    store.report(scan, "answer")
    keys = store.reserve(scan["user_id"], _ANSWER_TOKENS)
    body = prompts.answer(scan["classification"]["minor_category"], scan["disposal_rules"], scan["user_input"])
    text, usage = _streamed(scan, body)
    written = Written.model_validate_json(text)
    rules = {one["rule_id"]: one for one in scan["disposal_rules"]}
    used = [rules[name] for name in written.rule_ids if name in rules]
    if not used:
        raise RuntimeError("the answer stands on no rule")
    where = f"버리는 곳: {used[0]['container']}"
    words = {"text": f"{written.how}\n\n{written.why}\n\n{where}", "how": written.how, "why": written.why}
    return {
        **scan,
        "answer": {**words, "where": where, "rule_ids": written.rule_ids, "insufficiencies": []},
        "usage": [*scan["usage"], usage.model_dump(exclude_none=True)],
        "settle": store.settled(keys, _ANSWER_TOKENS, usage.total_tokens),
    }


def reward(scan: Scan) -> None:
    """A character for who sorted well; then the scan is done."""
    store.report(scan, "reward")
    scan["reward"] = _evaluated(scan) if _rewardable(scan) else None
    scan["completed_at"] = time.time()
    store.finish(scan)


def _streamed(scan: Scan, body: prompts.Body) -> tuple[str, Any]:
    text, usage, finish, told = "", None, None, 0.0
    with _model().chat.completions.create(**body) as stream:
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                finish = choice.finish_reason or finish
                text += choice.delta.content or ""
                now = time.monotonic()
                told = told or now
                if finish is None and now - told >= config.PIECE_SECONDS:
                    store.report({**scan, "draft": text}, "answer")
                    told = now
    if finish != "stop":
        raise RuntimeError("the answer was cut off")
    return text, usage


def _rewardable(scan: Scan) -> bool:
    return scan["classification"]["major_category"] == _REWARDED and bool(scan["disposal_rules"])


def _evaluated(scan: Scan) -> Any:
    request = EvaluateRequest(
        user_id=scan["user_id"],
        job_id=scan["task_id"],
        disposal_rules_present=True,
        situation_tags=scan["situation_tags"],
        **scan["classification"],
    )
    reply = _character().Evaluate(request, timeout=_CHARACTER_SECONDS)
    if not reply.matched:
        return None
    return {"character_name": reply.character_name, "dialog": reply.dialog, "match_reason": reply.match_reason}


@cache
def _model() -> Any:
    return openai.OpenAI(base_url=config.MODEL_URL, api_key="sk-peer", max_retries=0, timeout=config.MODEL_SECONDS)


@cache
def _character() -> Any:
    return CharacterStub(grpc.insecure_channel(config.CHARACTER_ADDRESS))
