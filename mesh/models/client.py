"""A hosted model, called through the official SDK: within the deadline, the budget and reason."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

import httpx2
import msgspec
import openai
import structlog

from mesh.circuit_breakers import ProviderBreaker
from mesh.errors import EcoError
from mesh.models import errors
from mesh.models.budget import Budget, Clock
from mesh.models.ledger import Entry
from mesh.models.metrics import ModelMetrics
from mesh.models.prices import Price, Tokens
from mesh.models.sdk import Sdk
from mesh.models.stream_reader import StreamReader
from mesh.models.usage import Terms, Usage
from mesh.models.wire import Prompt, Streamed, read_reply
from mesh.observability import tracing
from mesh.reasons import Reason
from mesh.validation.normalization import composed

_log = structlog.get_logger("models")

_BACKOFF = 0.25
_LEAST_SECONDS = 0.5  # a try that has less can't end well
_MOST_CHARACTERS = 64_000
# How a try ended that nobody waited for, beside the reasons of errors.
_ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class ModelTimeouts:
    """How long a model may take.

    Attributes:
        first_byte: Seconds until a response begins, or is there as a whole when it isn't streamed.
        stall: Seconds of silence within a stream.
        attempts: Tries in all.
    """

    first_byte: float = 30.0
    stall: float = 10.0
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer.

    Attributes:
        text: What the model wrote.
        model: The snapshot that wrote it.
    """

    text: str
    model: str


class HostedModel:
    """One model.

    Args:
        name: As configured.
        sdk: The official client.
        price: What it costs.
        budget: Asked before every try.
        timeouts: How long it may take.
        clock: Time.
        metrics: What is counted.
    """

    def __init__(
        self,
        name: str,
        sdk: Sdk,
        price: Price,
        budget: Budget,
        timeouts: ModelTimeouts,
        clock: Clock,
        metrics: ModelMetrics,
    ) -> None:
        self.name = name
        self._sdk = sdk
        self._price = price
        self._budget = budget
        self._timeouts = timeouts
        self._clock = clock
        self._metrics = metrics
        self._breaker = ProviderBreaker(clock.monotonic)

    @property
    def open(self) -> bool:
        """Whether calls are refused, since the provider was found to be down."""
        return self._breaker.open

    async def complete(self, prompt: Prompt, terms: Terms) -> Completion:
        """The whole answer.

        Raises:
            EcoError: A MODEL_ reason.
        """
        with self._span(terms):
            return await self._complete(prompt, terms)

    async def _complete(self, prompt: Prompt, terms: Terms) -> Completion:
        content = prompt.body(self.name, self._price.parameters, streamed=False)
        attempt = 1
        while True:
            began = self._clock.monotonic()
            try:
                completion = await self._once(prompt, content, terms)
            except EcoError as error:
                self._ended(began, error.reason)
                await self._pause(error, attempt, terms)
                attempt += 1
            else:
                self._ended(began)
                return completion

    async def stream(self, prompt: Prompt, terms: Terms, pause: float = 0.0) -> AsyncGenerator[str | Completion, None]:
        """The answer piece by piece as it comes, then the whole. Wrap it in `aclosing`: leaving early stops the model.

        Args:
            prompt: What it is asked.
            terms: On whose account, and until when.
            pause: Seconds between two pieces, at least; the whole comes at once when the model has ended.

        Raises:
            EcoError: A MODEL_ reason; at any time.
        """
        with self._span(terms):
            async with aclosing(self._stream(prompt, terms, pause)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _stream(self, prompt: Prompt, terms: Terms, pause: float) -> AsyncGenerator[str | Completion, None]:
        content = prompt.body(self.name, self._price.parameters, streamed=True)
        attempt, entry, opened = 1, None, None
        while opened is None:
            began = self._clock.monotonic()
            try:
                entry = await self._admit(prompt, terms)
                opened = await self._send(prompt, content, terms, entry, streamed=True)
            except EcoError as error:
                self._ended(began, error.reason)
                await self._pause(error, attempt, terms)
                attempt += 1
        assert entry is not None
        outcome = _ABANDONED
        try:
            async with aclosing(self._read(opened, prompt, terms, entry, pause)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        outcome = ""
                    yield piece
        except EcoError as error:
            outcome = error.reason
            raise
        finally:
            self._ended(began, outcome)

    @contextmanager
    def _span(self, terms: Terms) -> Iterator[None]:
        """Around one question and all its tries; with neither the prompt nor the answer."""
        before = terms.meter.total
        attributes = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": self.name,
        }  # fmt: skip
        with tracing.asking(f"chat {self.name}", attributes) as span:
            try:
                yield
            finally:
                if span.is_recording() and (paid := terms.meter.total):
                    earlier = before or Usage("", calls=0)
                    span.set_attribute("gen_ai.response.model", paid.model)
                    span.set_attribute("gen_ai.usage.input_tokens", paid.input_tokens - earlier.input_tokens)
                    span.set_attribute("gen_ai.usage.output_tokens", paid.output_tokens - earlier.output_tokens)
                    span.set_attribute("eco2.model.tries", paid.calls - earlier.calls)

    async def _once(self, prompt: Prompt, content: bytes, terms: Terms) -> Completion:
        entry = await self._admit(prompt, terms)
        response = await self._send(prompt, content, terms, entry, streamed=False)
        try:
            reply = read_reply(response.content)
        except msgspec.DecodeError as error:
            raise errors.invalid(self.name, "json") from error
        self._pay(entry, reply.usage.tokens() if reply.usage else prompt.estimate(0, 0), reply.model, terms)
        if not reply.choices:
            raise errors.invalid(self.name, "empty")
        choice = reply.choices[0]
        return self._finished(choice.message.content, choice.finish_reason, choice.message.refusal, reply.model)

    async def _admit(self, prompt: Prompt, terms: Terms) -> Entry:
        """Asks breaker and budget."""
        pause = self._breaker.open_for()
        if pause:
            raise errors.unavailable(self.name, pause)
        estimate = prompt.estimate(self._price.image_tokens)
        tokens = estimate.read + estimate.written
        return await self._budget.reserve(self.name, terms, tokens, self._price.micro_usd(estimate))

    async def _send(
        self, prompt: Prompt, content: bytes, terms: Terms, entry: Entry, *, streamed: bool
    ) -> httpx2.Response:
        """One request, up to its response: the whole of it, or where it begins."""
        began = self._clock.monotonic()
        limit = min(self._timeouts.first_byte, terms.deadline - began)
        try:
            async with asyncio.timeout(limit):
                response = await self._sdk.complete(content, max(limit, 0.001) + 1, streamed=streamed)
        except (openai.OpenAIError, TimeoutError, httpx2.HTTPError) as error:
            raise self._failed(error, prompt, terms, entry) from error
        except asyncio.CancelledError:
            # The caller hung up; the provider may have read everything and bill it.
            self._bill(prompt.estimate(self._price.image_tokens, 0), self.name, terms)
            self._ended(began, _ABANDONED)
            raise
        self._breaker.succeeded()
        return response

    def _failed(self, error: BaseException, prompt: Prompt, terms: Terms, entry: Entry) -> EcoError:
        """Counts a failed try and names it."""
        failure = errors.from_sdk(error, self.name)
        if isinstance(error, openai.APIStatusError):
            self._pay(entry, Tokens(0, 0), self.name, terms)  # an error costs nothing
        else:
            # The provider may have read everything and bill it: the estimate stays in the books.
            self._bill(prompt.estimate(self._price.image_tokens, 0), self.name, terms)
        if failure.reason in (Reason.MODEL_TIMED_OUT, Reason.MODEL_UNAVAILABLE):
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        # What providers write in errors may quote our key or the prompt.
        _log.warning("model failed", model=self.name, reason=failure.reason, error=type(error).__name__)
        return failure

    async def _pause(self, error: EcoError, attempt: int, terms: Terms) -> None:
        """Waits before the next try, or raises the error if there is none: not for this error, or not in time."""
        jitter = random.uniform(0, _BACKOFF * 2**attempt)
        wait = max(jitter, error.retry_after or 0.0) if error.reason is Reason.MODEL_RATE_LIMITED else jitter
        left = terms.deadline - self._clock.monotonic()
        if error.reason not in errors.RETRIED or attempt >= self._timeouts.attempts or wait + _LEAST_SECONDS > left:
            raise error
        await self._clock.sleep(wait)

    async def _read(
        self, response: httpx2.Response, prompt: Prompt, terms: Terms, entry: Entry, pause: float
    ) -> AsyncGenerator[str | Completion, None]:
        answer, paid = Streamed(), False
        reader = StreamReader(response, self._timeouts.stall, terms.deadline - self._clock.monotonic())
        try:
            async with aclosing(reader.pieces(pause)) as pieces:
                async for piece in pieces:
                    text = answer.feed(piece)
                    if answer.usage and not paid:
                        self._pay(entry, answer.usage.tokens(), answer.model, terms)
                        paid = True
                    if answer.length > _MOST_CHARACTERS:
                        raise errors.invalid(self.name, "length")
                    # The last piece comes again with the whole text.
                    if text and not answer.finish:
                        yield text
        except (OSError, httpx2.TransportError) as error:  # the connection broke, or was silent for too long
            self._breaker.failed()
            raise errors.from_sdk(error, self.name) from error
        except msgspec.DecodeError as error:
            raise errors.invalid(self.name, "json") from error
        finally:
            if not paid:
                # Cut off, or left early: the provider sent no token count.
                written = prompt.estimate(self._price.image_tokens, answer.length)
                self._bill(written, answer.model or self.name, terms)
        if answer.finish is None:
            raise errors.unavailable(self.name)  # it ended without saying so
        yield self._finished(answer.text, answer.finish, answer.refusal, answer.model)

    def _finished(self, text: str | None, finish: str | None, refusal: str | None, model: str) -> Completion:
        failure = errors.unfinished(self.name, finish, refusal)
        if failure is None and not text:
            failure = errors.invalid(self.name, "empty")
        if failure is None and len(text or "") > _MOST_CHARACTERS:
            failure = errors.invalid(self.name, "length")
        if failure:
            raise failure
        return Completion(composed(text or ""), model)

    def _pay(self, entry: Entry, tokens: Tokens, model: str, terms: Terms) -> None:
        """Corrects the budget to the true count, and adds it to the request's meter."""
        self._bill(tokens, model, terms)
        self._budget.settle(entry, tokens.read + tokens.written, self._price.micro_usd(tokens))

    def _ended(self, began: float, error: str = "") -> None:
        self._metrics.ended(self.name, self._clock.monotonic() - began, error)

    def _bill(self, tokens: Tokens, model: str, terms: Terms) -> None:
        usage = Usage(model or self.name, tokens.read, tokens.written, self._price.micro_usd(tokens))
        terms.meter.add(usage)
        self._metrics.used(self.name, usage)
