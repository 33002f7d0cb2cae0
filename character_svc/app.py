"""Composition root of the Character service.

EvaluateReward ────── rewards.decide ── catalogue (characters.yaml)
      └────────────── store ──────────── PostgreSQL, schema `character`
ListCharacters ────── catalogue
ListOwnedCharacters ─ store
TransferCharacters,
EraseCharacters ───── ownership ──────── PostgreSQL
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from character_svc.catalogue import Catalogue
from character_svc.ownership import Ownership
from character_svc.servicer import CharacterServicer
from character_svc.settings import CharacterSettings
from character_svc.store import RewardStore
from eco2.character.v1.character_service_pb2_grpc import add_CharacterServiceServicer_to_server
from mesh import postgres
from mesh.grpc.host import Host
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.observability.stores import tell_pool

NAME = "eco2.character.v1.CharacterService"


@asynccontextmanager
async def application(settings: CharacterSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """The service, running. Leaving the block drains the server first, then closes the pool."""
    with telemetry.started("character", settings, host.instruments if host else None) as signals:
        async with postgres.open_pool_of(settings, max_size=settings.database_connections) as pool:
            tell_pool(signals.instruments, "character", pool)
            store = RewardStore(pool)
            servicer = CharacterServicer(Catalogue.load(), store, Ownership(pool))
            service = Service(NAME, add_CharacterServiceServicer_to_server, servicer)
            dependencies = {"postgres": partial(postgres.probe, pool)}
            async with serving(settings, [service], telemetry=signals, dependencies=dependencies, host=host) as server:
                yield server
