"""Providers as data: addresses, scopes, and where an answer says who somebody is."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from mesh.locale import Text

_LONGEST_SUBJECT = 255
_LONGEST_NAME = 100


class UnusableProviders(ValueError):
    """A file of providers can't be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider; `data/providers.yaml` says what each field means."""

    name: Text
    authorization_endpoint: str
    token_endpoint: str
    scopes: tuple[str, ...]
    token_auth: Literal["client_secret_post", "client_secret_basic", "none"] = "client_secret_post"
    issuer: str = ""
    jwks_uri: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    userinfo_endpoint: str = ""
    subject: str = "sub"
    display_name: str = "name"
    token_needs_state: bool = False

    def __post_init__(self) -> None:
        if bool(self.issuer) == bool(self.userinfo_endpoint) or bool(self.issuer) != bool(self.jwks_uri):
            raise ValueError("give issuer and jwks_uri, or userinfo_endpoint")


@dataclass(frozen=True, slots=True)
class Client:
    """What a provider knows us as.

    Attributes:
        id: Public.
        secret: Not; empty for a public client.
    """

    id: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as a provider knows them.

    Attributes:
        provider: Its id.
        subject: Never given to anybody else by this provider.
        name: What they are called there; may be empty.
    """

    provider: str
    subject: str
    name: str = ""


def load_providers(more: Path | None = None) -> Mapping[str, Provider]:
    """The providers there are, by id: those of the package, and those of a file, which come first.

    Raises:
        UnusableProviders: The file can't be read, or isn't one of providers.
    """
    known = _parse((files("auth_svc") / "data" / "providers.yaml").read_text("utf-8"))
    if more is None:
        return known
    try:
        return {**known, **_parse(more.read_text("utf-8"))}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise UnusableProviders(f"{more}: {error}") from error


def identity(provider_id: str, provider: Provider, claims: Mapping[str, Any]) -> Identity | None:
    """Who the claims of a provider are about; None if they don't say."""
    subject, name = _at(claims, provider.subject), _at(claims, provider.display_name)
    if isinstance(subject, int) and not isinstance(subject, bool):
        subject = str(subject)
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        return None
    shown = "".join(letter for letter in name if letter.isprintable()) if isinstance(name, str) else ""
    return Identity(provider_id, subject, shown[:_LONGEST_NAME])


def _parse(text: str) -> Mapping[str, Provider]:
    return msgspec.convert(yaml.safe_load(text), dict[str, Provider], strict=True)


def _at(claims: Any, path: str) -> object:
    for step in path.split("."):
        claims = claims.get(step) if isinstance(claims, Mapping) else None
    return claims
