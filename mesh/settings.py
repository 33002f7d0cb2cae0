"""Settings that every service reads from its environment."""

import contextlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NoReturn, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mesh.redis_address import RedisAddress

_CLOSING_SECONDS = 15.0
_PREFIX = "ECO2_"
_TLS_VARIABLES = ("ECO2_TLS_CERT", "ECO2_TLS_KEY", "ECO2_TLS_CA")
_MISUSE = 2  # the exit status of a command that was called or set up wrongly

S = TypeVar("S", bound=BaseSettings)


class Misconfigured(Exception):
    """A setting is missing or can't be used, so the service doesn't start.

    The text names the variable or the file, and no secret.
    """


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where a process finds what mutual TLS takes, all in PEM. The files may be replaced at any time.

    Attributes:
        cert: Its certificate, with those between it and the authority.
        key: The certificate's private key.
        ca: The authorities whose certificates it believes.
    """

    cert: str
    key: str
    ca: str

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment by which a process is given them."""
        return {"ECO2_TLS_CERT": self.cert, "ECO2_TLS_KEY": self.key, "ECO2_TLS_CA": self.ca}

    @classmethod
    def given(cls, variables: Mapping[str, str]) -> Self | None:
        """Those that an environment names; None if it names none.

        Raises:
            Misconfigured: It doesn't name all.
        """
        files = cls(*(variables.get(name, "") for name in _TLS_VARIABLES))
        missing = [name for name, file in files.variables.items() if not file]
        if 0 < len(missing) < len(_TLS_VARIABLES):
            raise Misconfigured(
                f"{' and '.join(missing)}: not set, but mutual TLS takes all of {', '.join(_TLS_VARIABLES)}"
            )
        return None if missing else files


def _scheme(url: SecretStr, *schemes: str) -> SecretStr:
    if not url.get_secret_value().startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ValueError(f"it begins with {schemes[0]}://")
    return url


def _redis(url: SecretStr) -> SecretStr:
    RedisAddress.parse(url.get_secret_value())
    return url


def _listening(address: str) -> str:
    if not re.fullmatch(r"(\S+:\d{1,5}|unix:\S+)", address):
        raise ValueError("it is host:port or unix:/path")
    return address


def _listening_or_not(address: str) -> str:
    return _listening(address) if address else address


def _port_or_not(address: str) -> str:
    if address and not re.fullmatch(r"\S+:\d{1,5}", address):
        raise ValueError("it is host:port")
    return address


def _http(address: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:  # asking for the port reads it
            return address
    raise ValueError("it is an address such as https://storage.example")


HttpAddress = Annotated[str, AfterValidator(_http)]
_POSTGRES = ("postgresql", "postgres")
PostgresUrl = Annotated[SecretStr, AfterValidator(lambda url: _scheme(url, *_POSTGRES))]
OptionalPostgresUrl = Annotated[
    SecretStr, AfterValidator(lambda url: _scheme(url, *_POSTGRES) if url.get_secret_value() else url)
]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]


def load(settings_type: Callable[[], S]) -> S:
    """The settings, from the environment; ends the process with one line a variable if it can't be used.

    The lines name the variable and what is wrong with it, never its value: it may be a secret.

    Raises:
        SystemExit: With status 2.
    """
    return load_all([settings_type])[0]


def load_all(settings_types: Sequence[Callable[[], S]]) -> list[S]:
    """Several services' settings from one environment, as `load` does it; what two complain of is told once.

    Raises:
        SystemExit: With status 2.
    """
    loaded, complaints = list[S](), dict[str, None]()
    for settings_type in settings_types:
        try:
            loaded.append(settings_type())
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            complaints.update(dict.fromkeys(_complaint(dict(one)) for one in found))
    if complaints:
        end_misused(*complaints)
    return loaded


def end_misused(*lines: str) -> NoReturn:
    """Ends a command that was called or set up wrongly.

    Raises:
        SystemExit: With status 2.
    """
    print(*lines, sep="\n", file=sys.stderr)
    raise SystemExit(_MISUSE)


def _complaint(found: dict[str, object]) -> str:
    match found:
        case {"type": "missing", "loc": (name, *_)}:
            return f"{_PREFIX}{str(name).upper()} is not set"
        case {"loc": (name, *within), "msg": text}:
            place = ".".join(map(str, within))  # in a variable that holds JSON
            told = str(text).removeprefix("Value error, ")
            return f"{_PREFIX}{str(name).upper()}: {f'{place}: ' if place else ''}{told}"
        case _:  # several variables together
            return str(found["msg"]).removeprefix("Value error, ")


class ServiceSettings(BaseSettings):
    """Settings all services share; each adds its own. Read once at start, from `ECO2_<FIELD>`, and never changed.

    The prefix also keeps Kubernetes' own variables (`SCAN_PORT=tcp://…` for a Service called scan) out.
    """

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    listen: Annotated[str, AfterValidator(_listening)] = Field(
        "127.0.0.1:0", description="Address to serve gRPC on; port 0 takes any free one."
    )
    grace_seconds: float = Field(10.0, ge=0, description="How long calls at work may finish after SIGTERM.")
    # The edge looks every five seconds, and sends calls until it has seen NOT_SERVING.
    drain_seconds: float = Field(6.0, ge=0, description="Pause between NOT_SERVING and refusing new calls.")
    call_limit: int = Field(2000, gt=0, description="Unary calls at work at once; more are refused.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line written."
    )
    log_pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="Key of what stands for users in logs and spans: the same for all, or each process makes its own.",
    )
    log_format: Literal["json", "console"] = Field("json", description="Log lines for machines or for people.")

    tls_cert: str = Field("", description="File of this service's certificate, PEM. With it all calls are mutual TLS.")
    tls_key: str = Field("", description="File of the certificate's private key, PEM.")
    tls_ca: str = Field("", description="File of the authorities whose certificates are believed, PEM.")
    health_listen: Annotated[str, AfterValidator(_listening_or_not)] = Field(
        "", description="Address to serve health alone on, without TLS, for probes that bring no certificate."
    )

    metrics_address: Annotated[str, AfterValidator(_port_or_not)] = Field(
        "", description="Address of the Prometheus endpoint, `GET /metrics`; nothing is scraped without it."
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        try:
            _ = self.tls
        except Misconfigured as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def tls(self) -> TlsFiles | None:
        """The files that mutual TLS takes; None without it."""
        return TlsFiles.given(TlsFiles(self.tls_cert, self.tls_key, self.tls_ca).variables)

    @property
    def ending_seconds(self) -> float:
        """The longest that a service takes to end after SIGTERM.

        It drains; its calls have the grace, and so have their cleanups; then it closes what it holds. Scan's worker
        leaves meanwhile.
        """
        return self.drain_seconds + 2 * self.grace_seconds + _CLOSING_SECONDS


class DatabaseSettings(ServiceSettings):
    """Settings of the services that keep something in PostgreSQL."""

    database_url: PostgresUrl = Field(description="PostgreSQL, the truth, or PgBouncer before it: postgresql://…")
    database_listen_url: OptionalPostgresUrl = Field(
        SecretStr(""),
        description="PostgreSQL itself, if a pooler in transaction mode is before it; default: there is none.",
    )

    @property
    def pooled(self) -> bool:
        """Whether a pooler lends connections for single transactions, so that no session may be relied on."""
        return self.direct_url != self.database_url

    @property
    def direct_url(self) -> SecretStr:
        """PostgreSQL itself, for what takes a session: notifications."""
        return self.database_listen_url if self.database_listen_url.get_secret_value() else self.database_url


class ReplicaSettings(DatabaseSettings):
    """Settings of the services that also read what may be late."""

    database_read_url: OptionalPostgresUrl = Field(
        SecretStr(""), description="A replica for history and search: postgresql://…; default: none."
    )
    database_read_lag_seconds: float = Field(
        5.0, gt=0, description="How late the replica may be; while it is later the primary is read."
    )
