"""Composition root of the Auth service.

CreateGuest, RefreshToken, Logout… ── sessions ─┬ store ── PostgreSQL, schema `auth`
                                                └ access tokens ─┐
CreateWatchTicket ────────────────────────────── watch tickets ──┤
GetKeys ──────────────────────────────────────────────────────── keyring ── key store ── PostgreSQL
BeginSignIn, CompleteSignIn ── sign-in ─┬ attempts ── Redis
                                        ├ provider clients (data/providers.yaml) ── Google, Kakao, Naver …
                                        └ identities ── PostgreSQL
DeleteMe, and guests who are somebody else ── departures ─┬ store ── PostgreSQL
                                                          └ Scan, Character, Rules
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import uuid_utils

from auth_svc.access_tokens import AccessTokens, WatchTickets
from auth_svc.departures.peers import open_peers
from auth_svc.departures.store import DepartureStore
from auth_svc.departures.worker import DepartureWorker
from auth_svc.keys.keyring import Keyring
from auth_svc.keys.seal import Seal
from auth_svc.keys.signing_keys import RotationPolicy, parse_key_set
from auth_svc.keys.store import KeyStore
from auth_svc.keys.token_signer import TokenSigner
from auth_svc.metrics import SignInMeters
from auth_svc.providers.client import open_clients
from auth_svc.providers.providers import Provider, UnusableProviders, load_providers
from auth_svc.servicer import AuthServicer
from auth_svc.sessions.sessions import Sessions
from auth_svc.sessions.store import SessionStore
from auth_svc.settings import AuthSettings
from auth_svc.sign_in.attempts import AttemptStore
from auth_svc.sign_in.redirects import RedirectTargets
from auth_svc.sign_in.sign_in import SignIn
from auth_svc.sign_in.store import IdentityStore
from eco2.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from mesh import postgres
from mesh.concurrency.tasks import kept_running
from mesh.grpc.host import Host
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.observability.stores import tell_breaker, tell_pool
from mesh.redis import open_redis
from mesh.settings import Misconfigured

NAME = "eco2.auth.v1.AuthService"

_FORGET_SECONDS = 3600.0
# Clocks differ, and the edge's are believed.
_LEEWAY_SECONDS = 60
_DEPARTURE_LEASE = timedelta(seconds=60)
# As long as a whole scan may take, and as the address of an upload is good.
WATCH_TICKET = timedelta(minutes=5)


@asynccontextmanager
async def application(settings: AuthSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """The service, running. Leaving the block drains the server first, then closes the pool."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        signals = stack.enter_context(telemetry.started("auth", settings, host.instruments if host else None))
        pool = await enter(postgres.open_pool_of(settings, max_size=settings.database_connections))
        redis = await enter(open_redis(settings.redis_url.get_secret_value()))
        tell_pool(signals.instruments, "auth", pool)
        tell_breaker(signals.instruments, "auth", "redis", lambda: not redis.breaker.closed)

        seal = Seal(settings.auth_secrets.get_secret_value().split(","))
        keyring = Keyring(
            KeyStore(pool, seal, rotation_policy(settings)),
            parse_key_set(settings.auth_jwks),
            settings.key_reload_seconds,
        )
        refresh, longest = timedelta(seconds=settings.refresh_seconds), timedelta(seconds=settings.session_seconds)
        store = SessionStore(
            pool,
            seal.derived("refresh token"),
            refresh,
            longest,
            timedelta(seconds=settings.refresh_again_seconds),
        )
        signer, audience = TokenSigner(keyring, settings.auth_issuer), settings.auth_audience
        tokens = AccessTokens(signer, audience, timedelta(seconds=settings.access_seconds), settings.operators)
        tickets = WatchTickets(signer, audience, WATCH_TICKET)
        sign_in = SignIn(
            await enter(open_clients(_providers(settings), settings.clients, settings.provider_seconds)),
            AttemptStore(redis, timedelta(seconds=settings.attempt_seconds)),
            RedirectTargets(settings.redirect_targets),
            IdentityStore(pool, refresh, longest),
            _new_id,
            partial(datetime.now, UTC),
            SignInMeters(signals.instruments),
        )
        longest_token = timedelta(seconds=settings.access_seconds + _LEEWAY_SECONDS)
        user_data = await enter(open_peers(settings, host))
        departures = DepartureWorker(DepartureStore(pool, longest_token, _DEPARTURE_LEASE), user_data)
        servicer = AuthServicer(Sessions(store, tokens, _new_id), sign_in, departures, user_data, keyring, tickets)

        await enter(kept_running(keyring.run))
        await enter(kept_running(partial(_forget, store)))
        await enter(kept_running(departures.run))
        service = Service(NAME, add_AuthServiceServicer_to_server, servicer)
        # Redis isn't among the dependencies: without it nobody signs in anew, but all sessions go on.
        dependencies = {"postgres": partial(postgres.probe, pool)}
        yield await enter(serving(settings, [service], telemetry=signals, dependencies=dependencies, host=host))


def rotation_policy(settings: AuthSettings) -> RotationPolicy:
    """When signing keys come and go."""
    longest_token = max(timedelta(seconds=settings.access_seconds), WATCH_TICKET)
    return RotationPolicy(
        key=timedelta(seconds=settings.key_seconds),
        lead=timedelta(seconds=settings.key_lead_seconds),
        tail=longest_token + timedelta(seconds=2 * settings.key_reload_seconds),
    )


def _providers(settings: AuthSettings) -> Mapping[str, Provider]:
    """The providers there are.

    Raises:
        Misconfigured: The file can't be used, or a client is one of a provider that isn't known.
    """
    try:
        providers = load_providers(Path(settings.auth_providers) if settings.auth_providers else None)
    except UnusableProviders as error:
        raise Misconfigured(f"ECO2_AUTH_PROVIDERS: {error}") from error
    if unknown := settings.clients.keys() - providers.keys():
        raise Misconfigured(f"ECO2_AUTH_CLIENTS: there is no provider {', '.join(sorted(unknown))}")
    return providers


async def _forget(store: SessionStore) -> None:
    """Removes expired sessions now and then. Any replica may, and several at once."""
    while True:
        await asyncio.sleep(_FORGET_SECONDS)
        await store.forget_expired()


def _new_id() -> str:
    return str(uuid_utils.uuid7())
