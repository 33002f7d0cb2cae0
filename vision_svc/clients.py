"""Rules, as Vision calls it: for the taxonomy. Proto types end here."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import MappingProxyType

import grpc
import structlog

from eco2.rules.v1 import rules_service_pb2, rules_service_pb2_grpc
from mesh.concurrency.tasks import end
from mesh.errors import EcoError
from mesh.grpc.access import VISION
from mesh.grpc.client import Peer, open_channel
from mesh.grpc.host import Host
from mesh.locale import Locale
from mesh.settings import TlsFiles
from vision_svc.classifiers.classification import Category, WasteKind, text
from vision_svc.classifiers.taxonomy import Taxonomy

_log = structlog.get_logger("taxonomy")

_SERVICE = "eco2.rules.v1.RulesService"
_CALL_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_REFRESH_SECONDS = 60.0
_START_SECONDS = 5.0


class TaxonomyClient:
    """The taxonomy, fetched from Rules and kept up to date.

    Args:
        channel: To Rules.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = rules_service_pb2_grpc.RulesServiceStub(channel)
        self._peer = Peer("rules")
        self._current: Taxonomy | None = None
        self._known = asyncio.Event()

    def current(self) -> Taxonomy | None:
        """The taxonomy; None as long as Rules hasn't answered once."""
        return self._current

    async def keep(self) -> None:
        """Fetches it periodically for ever; Rules may start later, stop, or come back with another rule book."""
        while True:
            try:
                await self._refresh()
                pause = _REFRESH_SECONDS
            except EcoError as error:
                _log.warning("no taxonomy from Rules", reason=error.reason)
                pause = _AGAIN_SECONDS if self._current is None else _REFRESH_SECONDS
            await asyncio.sleep(pause)

    async def known(self, seconds: float) -> None:
        """Waits a short time for the first one; without it hosted models are passed over."""
        try:
            async with asyncio.timeout(seconds):
                await self._known.wait()
        except TimeoutError:
            _log.warning("starting without a taxonomy")

    async def _refresh(self) -> None:
        korean = await self._ask(Locale.KO)
        if self._current and self._current.version == korean.rulebook_version:
            return
        english = await self._ask(Locale.EN)
        if english.rulebook_version == korean.rulebook_version:  # else a replica of another release answered
            self._current = _taxonomy(korean, english)
            self._known.set()

    async def _ask(self, locale: Locale) -> rules_service_pb2.GetTaxonomyResponse:
        request = rules_service_pb2.GetTaxonomyRequest(locale=locale)
        answer: rules_service_pb2.GetTaxonomyResponse = await self._peer.call(
            self._stub.GetTaxonomy, request, timeout=_CALL_SECONDS
        )
        return answer


@asynccontextmanager
async def open_taxonomy(
    target: str, tls: TlsFiles | None = None, host: Host | None = None
) -> AsyncIterator[TaxonomyClient]:
    """The taxonomy of the Rules service at `target`, kept while the block runs."""
    async with open_channel(VISION, target, _SERVICE, ["GetTaxonomy"], tls=tls, host=host) as channel:
        keeper = TaxonomyClient(channel)
        keeping = asyncio.create_task(keeper.keep(), name="taxonomy")
        try:
            await keeper.known(_START_SECONDS)
            yield keeper
        finally:
            await end(keeping)


def _taxonomy(
    korean: rules_service_pb2.GetTaxonomyResponse, english: rules_service_pb2.GetTaxonomyResponse
) -> Taxonomy:
    kinds = {
        "/".join(path): WasteKind(_category(path, has_middles), text(name, translated))
        for major, other in zip(korean.majors, english.majors, strict=True)
        for has_middles in [any(child.children for child in major.children)]
        for path, name, translated in _walk(major, other, ())
    }
    return Taxonomy(korean.rulebook_version, MappingProxyType(kinds), frozenset(tag.key for tag in korean.tags))


def _walk(
    korean: rules_service_pb2.TaxonomyNode, english: rules_service_pb2.TaxonomyNode, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    path = (*above, korean.key)
    yield path, korean.display_name, english.display_name
    for child, other in zip(korean.children, english.children, strict=True):
        yield from _walk(child, other, path)


def _category(path: tuple[str, ...], has_middles: bool) -> Category:
    """Below a major without middles stand minors."""
    if len(path) == 2 and not has_middles:
        return Category(path[0], minor=path[1])
    return Category(*path)
