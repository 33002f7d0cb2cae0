"""Options that many commands share, and what they make known to a command."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from local.cli.session import Session
from mesh.locale import Locale

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

VAR = Path("var")


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command was called.

    Attributes:
        var: The stack's folder.
        locale: Language of the results.
        as_json: Whether a program reads them.
    """

    var: Path = VAR
    locale: Locale = Locale.EN
    as_json: bool = False

    def session(self) -> Session:
        """The stack to use, and as whom.

        Raises:
            NoStack, Misuse, ApiError, Disconnected: As `Session.find`.
        """
        return Session.find(self.var, os.environ)


def spoken() -> Locale:
    """The language of the terminal."""
    language = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return Locale.KO if language.startswith("ko") else Locale.EN


_var = click.option(
    "--var", type=click.Path(path_type=Path), default=VAR, envvar="VAR", show_envvar=True, show_default=True,
    help="Folder of the stack: data, logs, secrets.",
)  # fmt: skip
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else.")
_locale = click.option(
    "--locale", type=click.Choice([one.value for one in Locale], case_sensitive=False),
    help="Language of the results.  [default: the terminal's]",
)  # fmt: skip


def common(command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command --locale, --json and --var, as its first argument."""

    @_locale
    @_json
    @_var
    @functools.wraps(command)
    def called(*, var: Path, locale: str | None, as_json: bool, **others: Any) -> R:
        return command(Invocation(var, Locale(locale) if locale else spoken(), as_json), **others)

    return called


def of_stack(command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command --json and --var alone: it says nothing in a language of the product."""

    @_json
    @_var
    @functools.wraps(command)
    def called(*, var: Path, as_json: bool, **others: Any) -> R:
        return command(Invocation(var, as_json=as_json), **others)

    return called


region = click.option("--region", default="", help="Your region, such as 서울특별시/마포구.")
building = click.option(
    "--building", default="", envvar="ECO2_BUILDING", show_envvar=True,
    help="Your building's code.  [default: the one you joined]",
)  # fmt: skip


def question(latitude: tuple[float, float] | None = None, where: str | None = None) -> Callable[[F], F]:
    """What goes with a photo: --user-input, --lat, --lon and --region.

    Args:
        latitude: Where it is by default: latitude and longitude.
        where: The region by default.
    """
    lat, lon = latitude or (None, None)
    options = [
        click.option("--user-input", "text", default="", help="What you ask or say about it."),
        click.option("--lat", "latitude", type=click.FloatRange(-90, 90), default=lat, help="Where you are: latitude."),
        click.option(
            "--lon", "longitude", type=click.FloatRange(-180, 180), default=lon, help="Where you are: longitude."
        ),
        click.option("--region", default=where or "", help="Your region, such as 서울특별시/마포구."),
    ]

    def with_options(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def location(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """Where somebody is, from two options.

    Raises:
        click.BadParameter: Half a location.
    """
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise click.BadParameter("--lat and --lon go together")
    return latitude, longitude
