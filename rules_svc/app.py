"""Composition root of the Rules service.

    GetTaxonomy ─── edition: rule book (data/*.yaml, or a folder that is watched for changes)
    SearchItems ─── edition: names and synonyms
    MatchRules, PlanEvening ── edition: rule book; building reader ── PostgreSQL, for who joined a building
    ComposeAnswer ─ edition: composer (data/questions.yaml), or a hosted model on the composer's grounds
    AdviseDisposal  as MatchRules, then as ComposeAnswer
    ReadviseDisposal  as AdviseDisposal by the composer alone, from the edition or from the candidate
    FindPlaces ──── finder ─┬ store ── PostgreSQL, schema `rules`
                            └ Kakao Local, if there is a key; Redis, if there is one, keeps its answers
    BuildingService ─ buildings ── PostgreSQL, schema `rules`

Rules and answers need no database, so PostgreSQL is no dependency of this service's health: while it is down the
service stays SERVING, FindPlaces and BuildingService answer UNAVAILABLE, and who joined a building is told the days of
its district. The pool connects when it is first used.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import asyncpg
import httpx2
import stamina

from eco2.rules.v1.building_service_pb2_grpc import add_BuildingServiceServicer_to_server
from eco2.rules.v1.rules_service_pb2_grpc import add_RulesServiceServicer_to_server
from mesh import outages, postgres
from mesh.circuit_breakers import ProviderBreaker
from mesh.concurrency.tasks import end
from mesh.grpc.host import Host
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.observability.instruments import Instruments
from mesh.observability.stores import tell_breaker, tell_pool
from mesh.redis import open_redis
from mesh.replica import open_reads
from rules_svc.answers.writers import Writers
from rules_svc.buildings.reader import BuildingReader
from rules_svc.buildings.service import Buildings
from rules_svc.buildings.servicer import BuildingServicer
from rules_svc.buildings.store import BuildingStore
from rules_svc.loading.candidate import CandidateRulebook, Rulebooks
from rules_svc.loading.reloader import RulebookReloader
from rules_svc.places.finder import PlaceFinder
from rules_svc.places.kakao import KakaoPlaces, load_searches
from rules_svc.places.opening_hours import SEOUL
from rules_svc.places.quota import AnswerCache, DailyQuota
from rules_svc.places.samples import sample_places
from rules_svc.places.store import PlaceStore
from rules_svc.servicer import RulesServicer
from rules_svc.settings import RulesSettings

NAME = "eco2.rules.v1.RulesService"
BUILDINGS = "eco2.rules.v1.BuildingService"

# How long the start waits for the sample places; after that they are stored in the background.
_SAMPLES_SECONDS = 2.0
# Kakao's places are optional: its breaker opens sooner and longer than a model's.
_KAKAO_FAILURES = 3
_KAKAO_PAUSE = 30.0


@asynccontextmanager
async def application(settings: RulesSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """The service, running. Leaving the block drains the server first, then closes the pool."""
    with telemetry.started("rules", settings, host.instruments if host else None) as signals:
        connections = settings.database_connections
        reads_opened = partial(tell_pool, signals.instruments, "rules-reads")
        async with (
            postgres.open_pool_of(settings, max_size=connections) as pool,
            open_reads(settings, pool, max_size=connections, opened=reads_opened) as reads,
            _open_writers(settings, signals.instruments) as writers,
        ):
            tell_pool(signals.instruments, "rules", pool)
            store = PlaceStore(pool, reads)
            reloader = RulebookReloader(settings.rulebook_dir)
            candidate = CandidateRulebook(settings.rulebook_candidate_dir)
            async with _kakao(settings, signals.instruments) as kakao:
                buildings = BuildingStore(pool)
                reader = BuildingReader(buildings)
                servicer = RulesServicer(
                    reloader,
                    Rulebooks(reloader, candidate),
                    PlaceFinder(store, kakao),
                    reader,
                    writers,
                    partial(datetime.now, UTC),
                )
                managed = BuildingServicer(Buildings(buildings, reader.forget), lambda: reloader.current.book.regions)
                services = [
                    Service(NAME, add_RulesServiceServicer_to_server, servicer),
                    Service(BUILDINGS, add_BuildingServiceServicer_to_server, managed),
                ]
                async with (
                    _watching_folder(reloader, settings.rulebook_seconds),
                    _watching_folder(candidate, settings.rulebook_seconds),
                    _samples_kept(store, settings.sample_places),
                    serving(settings, services, telemetry=signals, host=host) as server,
                ):
                    yield server


@asynccontextmanager
async def _open_writers(settings: RulesSettings, instruments: Instruments) -> AsyncIterator[Writers]:
    """The hosted models that are asked before the composer."""
    if not settings.writers:
        yield Writers([])
        return
    # Not at the top: without a hosted model the SDK would take 20 MiB for nothing.
    from mesh.models.factory import open_models
    from rules_svc.answers.hosted import HostedWriter

    async with open_models(settings, settings.writers, instruments, "rules") as models:
        yield Writers([HostedWriter(model) for model in models])


@asynccontextmanager
async def _kakao(settings: RulesSettings, instruments: Instruments) -> AsyncIterator[KakaoPlaces | None]:
    """Kakao Local, if a key is set."""
    if settings.kakao_rest_key is None:
        yield None
        return
    headers = {"authorization": f"KakaoAK {settings.kakao_rest_key.get_secret_value()}"}
    async with AsyncExitStack() as held:
        client = await held.enter_async_context(
            httpx2.AsyncClient(base_url=settings.kakao_url, headers=headers, timeout=settings.kakao_seconds)
        )
        shared = None
        if settings.redis_url is not None:
            shared = await held.enter_async_context(open_redis(settings.redis_url.get_secret_value(), timeout=0.2))
        breaker = ProviderBreaker(failures=_KAKAO_FAILURES, first_pause=_KAKAO_PAUSE)
        tell_breaker(instruments, "rules", "kakao", lambda: breaker.open)
        yield KakaoPlaces(
            client,
            load_searches(),
            AnswerCache(shared, settings.kakao_cache_seconds),
            DailyQuota(shared, settings.kakao_daily_calls, partial(datetime.now, SEOUL)),
            breaker,
            settings.kakao_seconds,
        )


@asynccontextmanager
async def _watching_folder(reloader: RulebookReloader | CandidateRulebook, seconds: float) -> AsyncIterator[None]:
    """Reloads the rule book when its folder changes, while the block runs."""
    following = asyncio.create_task(reloader.follow(seconds), name="rule book")
    try:
        yield
    finally:
        await end(following)


@asynccontextmanager
async def _samples_kept(store: PlaceStore, wanted: bool) -> AsyncIterator[None]:
    """Puts the sample places into the store, or takes them out, as soon as there is a database."""
    keeping = asyncio.create_task(_keep_samples(store, wanted), name="sample places")
    try:
        await asyncio.wait([keeping], timeout=_SAMPLES_SECONDS)
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_samples(store: PlaceStore, wanted: bool) -> None:
    places = list(sample_places()) if wanted else []
    async for attempt in stamina.retry_context(on=_not_yet, attempts=None, timeout=None, wait_max=10.0):
        with attempt:
            await store.keep_samples(places)


def _not_yet(error: Exception) -> bool:
    """Whether the database is down, or its tables aren't there before the migrations ran."""
    missing = (asyncpg.UndefinedTableError, asyncpg.UndefinedObjectError, asyncpg.InvalidSchemaNameError)
    return isinstance(error, missing) or outages.from_exception(error) is not None
