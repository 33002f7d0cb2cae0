"""A hosted model words the answer; the rules decide what it may state.

The model is given nothing but the rules and the question, and writes only how and why. Container, times, dangers and
open questions are taken from the composed answer, so no model can leave out or change them. Each sentence is checked
before anybody sees it.
"""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

import msgspec
import yaml

from mesh.errors import EcoError, FailedPrecondition
from mesh.models import errors as failures
from mesh.models.client import Completion, HostedModel
from mesh.models.usage import Terms
from mesh.models.wire import Prompt
from mesh.reasons import Reason
from rules_svc.answers.composer import Answer
from rules_svc.answers.grounding import Grounds
from rules_svc.answers.json_stream import JsonTextStream
from rules_svc.answers.writers import AnswerRequest
from rules_svc.rulebook.rules import LocalizedRule

_MOST_TOKENS = 700
_DIGITS = 8
_FIELDS = ("how", "why")
# Seconds between two pieces of a draft: each costs Rules, Scan, Redis and every watcher a message, and nobody reads two
# sentences faster.
_PAUSE = 0.4

_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    how: _Words
    why: _Words
    rule_ids: list[str]
    question_answered: bool


_decode = msgspec.json.Decoder(_Written).decode


class HostedWriter:
    """One hosted model.

    Args:
        model: The model.
    """

    def __init__(self, model: HostedModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's name as configured."""
        return self._model.name

    async def write(self, task: AnswerRequest, terms: Terms) -> AsyncGenerator[str | Answer, None]:
        """Checked sentences as they are written, then the answer, whose text begins with them.

        Raises:
            EcoError: A MODEL_ reason, or ANSWER_UNGROUNDED; at any time.
        """
        words = _words()
        grounds, draft = Grounds.of(tuple(task.rules), words["system"]), JsonTextStream(_FIELDS)
        tail = "".join(f"\n{line}" for line in _tail(task.composed)) + "\n\n"
        held = ""
        async with aclosing(self._model.stream(_prompt(task, words), terms, _PAUSE)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    # The complete answer contains every sentence that was held back.
                    yield self._answer(piece, task, grounds)
                    return
                for field, sentence, is_last in draft.feed(piece):
                    self._demand(grounds, sentence)
                    held += sentence
                    if is_last:
                        held = held.rstrip() + (tail if field == "how" else "")
                # The space behind a sentence goes with the next one: the last one has none.
                if text := held.rstrip():
                    yield text
                    held = held[len(text) :]

    def _answer(self, completion: Completion, task: AnswerRequest, grounds: Grounds) -> Answer:
        try:
            written = _decode(completion.text)
        except msgspec.ValidationError as error:
            raise failures.invalid(self.name, "schema") from error
        except msgspec.DecodeError as error:
            raise failures.invalid(self.name, "json") from error
        if not grounds.cites(written.rule_ids):
            raise self._ungrounded("rule")
        self._demand(grounds, f"{written.how}\n{written.why}")
        composed = task.composed
        how = "\n".join([written.how.rstrip(), *_tail(composed)])
        answer = replace(
            composed,
            how=how,
            why=written.why.rstrip(),
            rule_ids=tuple(dict.fromkeys(written.rule_ids)),
            insufficiencies=_open(task, answered=written.question_answered and bool(task.question)),
            provider=self.name,
            model=completion.model,
            prompt_version=_version(),
        )
        return replace(answer, text=f"{how}\n\n{answer.why}{_ending(answer)}")

    def _demand(self, grounds: Grounds, text: str) -> None:
        offence = grounds.offence(text)
        if offence:
            raise self._ungrounded(offence)

    def _ungrounded(self, detail: str) -> EcoError:
        return FailedPrecondition(Reason.ANSWER_UNGROUNDED, model=self.name, detail=detail)


def _tail(composed: Answer) -> list[str]:
    """Fee and hazards, below the steps of the composed answer. They are added to whatever a model writes."""
    lines = composed.how.split("\n")
    last = max((place for place, line in enumerate(lines) if line[:1].isdigit()), default=len(lines) - 1)
    return lines[last + 1 :]


def _ending(answer: Answer) -> str:
    return "".join(f"\n\n{part}" for part in (answer.where, answer.when) if part)


def _open(task: AnswerRequest, *, answered: bool) -> tuple[str, ...]:
    asked = task.composed.insufficiencies
    return tuple(one for one in asked if one not in task.unanswered) if answered else asked


@lru_cache(maxsize=1)
def _words() -> Any:
    return yaml.safe_load(files("rules_svc.answers").joinpath("prompt.yaml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _version() -> str:
    words = _words()
    return f"write-{words['version']}-{hashlib.sha256(words['system'].encode()).hexdigest()[:_DIGITS]}"


def _prompt(task: AnswerRequest, words: Any) -> Prompt:
    document = msgspec.json.encode(
        {
            "language": words["languages"][task.locale],
            "found": {"name": task.classification.display_name, "tags": task.classification.tags},
            "rules": _rules(tuple(task.rules)),
            "question": task.question,
        }
    ).decode()
    schema = _schema(tuple(rule.rule_id for rule in task.rules))
    return Prompt(
        messages=[{"role": "system", "content": words["system"]}, {"role": "user", "content": document}],
        name="answer",
        schema=msgspec.Raw(schema),
        most_tokens=_MOST_TOKENS,
        characters=len(words["system"]) + len(document) + len(schema),
    )


@lru_cache(maxsize=512)
def _rules(rules: tuple[LocalizedRule, ...]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode([_rule(rule) for rule in rules]))


def _rule(rule: LocalizedRule) -> dict[str, Any]:
    fields = {
        "rule_id": rule.rule_id,
        "title": rule.title,
        "steps": rule.steps,
        "why": rule.why,
        "container": rule.container,
        "instead": [f"{item}: {instead}" for item, instead in rule.exclusions],
        "parts": [f"{part.name}: {part.container}" for part in rule.parts],
        "dangers": rule.hazards,
        "fee": rule.fee,
        "when": rule.when,
        # A building's place is in its manager's own words, which nobody has checked. It is added with the times.
        "place": "" if rule.local_source else rule.place,
    }
    return {key: value for key, value in fields.items() if value}


@lru_cache(maxsize=512)
def _schema(rule_ids: tuple[str, ...]) -> bytes:
    properties = {
        "how": {"type": "string"},
        "why": {"type": "string"},
        "rule_ids": {"type": "array", "items": {"type": "string", "enum": sorted(set(rule_ids))}},
        "question_answered": {"type": "boolean"},
    }
    return msgspec.json.encode(
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    )
