"""Composition root of the Auth service.

CreateGuest, RefreshToken, Logout… ── sessions ─┬ store ── PostgreSQL, schema `auth`
                                                └ access tokens ─┐
GetKeys ──────────────────────────────────────────────────────── keyring ── key store ── PostgreSQL
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import uuid_utils

from auth_svc.access_tokens import AccessTokens
from auth_svc.keys.keyring import Keyring
from auth_svc.keys.seal import Seal
from auth_svc.keys.signing_keys import RotationPolicy, parse_key_set
from auth_svc.keys.store import KeyStore
from auth_svc.servicer import AuthServicer
from auth_svc.sessions.sessions import Sessions
from auth_svc.sessions.store import SessionStore
from auth_svc.settings import AuthSettings
from eco2.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from mesh import postgres
from mesh.concurrency.tasks import kept_running
from mesh.grpc.host import Host
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry

NAME = "eco2.auth.v1.AuthService"

_FORGET_SECONDS = 3600.0


@asynccontextmanager
async def application(settings: AuthSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """The service, running. Leaving the block drains the server first, then closes the pool."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        instruments = stack.enter_context(telemetry.started("auth", settings))
        dsn, connections = settings.database_url.get_secret_value(), settings.database_connections
        pool = await enter(postgres.open_pool(dsn, max_size=connections))

        seal = Seal(settings.auth_secrets.get_secret_value().split(","))
        keyring = Keyring(
            KeyStore(pool, seal, rotation_policy(settings)),
            parse_key_set(settings.auth_jwks),
            settings.key_reload_seconds,
        )
        store = SessionStore(
            pool,
            seal.derived("refresh token"),
            timedelta(seconds=settings.refresh_seconds),
            timedelta(seconds=settings.session_seconds),
            timedelta(seconds=settings.refresh_again_seconds),
        )
        tokens = AccessTokens(
            keyring, settings.auth_issuer, settings.auth_audience, timedelta(seconds=settings.access_seconds)
        )
        servicer = AuthServicer(Sessions(store, tokens, _new_id), keyring)

        await enter(kept_running(keyring.run))
        await enter(kept_running(partial(_forget, store)))
        service = Service(NAME, add_AuthServiceServicer_to_server, servicer)
        dependencies = {"postgres": partial(postgres.probe, pool)}
        yield await enter(serving(settings, [service], telemetry=instruments, dependencies=dependencies, host=host))


def rotation_policy(settings: AuthSettings) -> RotationPolicy:
    """When signing keys come and go."""
    return RotationPolicy(
        key=timedelta(seconds=settings.key_seconds),
        lead=timedelta(seconds=settings.key_lead_seconds),
        tail=timedelta(seconds=settings.access_seconds + 2 * settings.key_reload_seconds),
    )


async def _forget(store: SessionStore) -> None:
    """Removes expired sessions now and then. Any replica may, and several at once."""
    while True:
        await asyncio.sleep(_FORGET_SECONDS)
        await store.forget_expired()


def _new_id() -> str:
    return str(uuid_utils.uuid7())
