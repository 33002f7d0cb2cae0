"""Settings of the Auth service."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from cryptography.fernet import Fernet
from pydantic import AfterValidator, Field, SecretStr

from auth_svc.keys.signing_keys import parse_key_set
from auth_svc.providers.providers import Client
from mesh.settings import DatabaseSettings, RedisUrl


def _fernet_keys(secrets: SecretStr) -> SecretStr:
    for secret in secrets.get_secret_value().split(","):
        try:
            Fernet(secret.strip())
        except ValueError:  # whose text may quote the secret
            raise ValueError("each is 32 random bytes in URL-safe base64") from None
    return secrets


def _key_set(text: str) -> str:
    parse_key_set(text)
    return text


def _parse_clients(text: SecretStr) -> Mapping[str, Client]:
    return msgspec.json.decode(text.get_secret_value(), type=dict[str, Client])


def _clients(text: SecretStr) -> SecretStr:
    try:
        _parse_clients(text)
    except msgspec.DecodeError:  # whose text may quote a secret
        raise ValueError('it is JSON like {"google": {"id": "…", "secret": "…"}}') from None
    return text


class AuthSettings(DatabaseSettings):
    """Settings of the Auth service, from `ECO2_<FIELD>`."""

    database_connections: int = Field(4, ge=1, description="Connections to PostgreSQL at most.")

    redis_url: RedisUrl = Field(description="Redis, which keeps attempts to sign in: redis://…")

    scan_target: str = Field(description="gRPC target of Scan; here and below: what users have there follows them.")
    character_target: str = Field(description="gRPC target of Character.")
    rules_target: str = Field(description="gRPC target of Rules.")

    auth_secrets: Annotated[SecretStr, AfterValidator(_fernet_keys)] = Field(
        description="Secrets that seal the signing keys in the database, by commas: the first seals, all of them open."
    )
    auth_issuer: str = Field("eco2", min_length=1, description="Issuer of access tokens, as the edge expects it.")
    auth_audience: str = Field("eco2", min_length=1, description="Audience of access tokens, as the edge expects it.")
    auth_jwks: Annotated[str, AfterValidator(_key_set)] = Field(
        '{"keys":[]}', description="More keys to publish: a JSON Web Key Set, such as an earlier issuer's."
    )

    auth_operators: str = Field(
        "", description="Ids of the users whose tokens open the operators' page, by commas: `user_id` of GET /v1/me."
    )

    auth_providers: str = Field("", description="File of more providers, in the form of data/providers.yaml.")
    auth_clients: Annotated[SecretStr, AfterValidator(_clients)] = Field(
        SecretStr("{}"),
        description='What providers know us as: {"google": {"id": "…", "secret": "…"}}. Only these are on offer.',
    )
    auth_redirects: str = Field(
        "", description="Where people may be sent back to, by commas; of http://127.0.0.1/… the port may be any."
    )
    attempt_seconds: int = Field(600, gt=0, description="How long signing in may take.")
    provider_seconds: float = Field(8.0, gt=0, description="How long an exchange with a provider may take.")

    access_seconds: int = Field(900, gt=0, description="How long an access token is good.")
    refresh_seconds: int = Field(7 * 86_400, gt=0, description="How long a refresh token is good.")
    session_seconds: int = Field(30 * 86_400, gt=0, description="How long a session lasts, however often refreshed.")
    refresh_again_seconds: int = Field(
        30,
        ge=0,
        description="How long the same refresh, by its request_id, brings the same token; 0: never.",
    )

    key_seconds: int = Field(30 * 86_400, gt=0, description="How long a signing key signs.")
    key_lead_seconds: int = Field(
        900, gt=0, description="How long a key is published before it signs: longer than anybody keeps a key set."
    )
    key_reload_seconds: float = Field(30.0, gt=0, description="How often the keys are read from the database.")

    @property
    def clients(self) -> Mapping[str, Client]:
        """What providers know us as, by their ids."""
        return _parse_clients(self.auth_clients)

    @property
    def operators(self) -> tuple[str, ...]:
        """Whose tokens open the operators' page."""
        return tuple(one.strip() for one in self.auth_operators.split(",") if one.strip())

    @property
    def redirect_targets(self) -> tuple[str, ...]:
        """Where people may be sent back to."""
        return tuple(one.strip() for one in self.auth_redirects.split(",") if one.strip())
