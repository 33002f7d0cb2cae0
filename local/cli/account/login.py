"""`eco2 login`, `eco2 logout`: a session of one's own, by a browser."""

import base64
import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from eco2.auth.v1 import auth_pb2
from local.cli import session
from local.cli.account.credentials import CredentialStore
from local.cli.account.loopback import RedirectListener
from local.cli.account.signed_in import of_session
from local.cli.account.visit import visit
from local.cli.api.auth import AuthClient
from local.cli.options import VAR, Language, Var
from local.errors import Misuse

commands = typer.Typer()

_out = Console()

_WAIT_SECONDS = 600.0


@commands.command()
def login(
    language: Language,
    var: Var = VAR,
    provider: Annotated[str, typer.Argument(help="Whom with, such as kakao; needless if there is only one.")] = "",
    browser: Annotated[bool, typer.Option(help="Open the browser, or only print the address.")] = True,
) -> None:
    """Signs in with a provider, in the browser. Other commands are yours from then on."""
    rest_url, store = session.rest_url(var, os.environ), _store()
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    with AuthClient(rest_url, language) as client, RedirectListener() as listener:
        chosen = _chosen(provider, client.providers())
        begun = client.begin(chosen, listener.redirect_uri, challenge)
        print(f"Sign in here:\n{begun.authorization_url}", flush=True)
        if browser:
            # A browser without a window ends only after it has been sent back, so somebody must listen by then.
            visiting = (begun.authorization_url, listener.redirect_uri)
            threading.Thread(target=visit, args=visiting, daemon=True).start()
        back = listener.wait(begun.state, _WAIT_SECONDS)
        if back is None or "code" not in back:
            raise Misuse(f"Nobody signed in: {back.get('error', 'no answer') if back else 'ten minutes are over'}")
        signed_in = client.complete(chosen, begun.state, back["code"], verifier)
    with store.locked():
        store.put(rest_url, of_session(signed_in))
    _out.print(f"Signed in at {rest_url} as {signed_in.user_id}. Sign out: eco2 logout", soft_wrap=True)


@commands.command()
def logout(language: Language, var: Var = VAR) -> None:
    """Ends your session, here and at the service."""
    rest_url, store = session.rest_url(var, os.environ), _store()
    with store.locked():
        held = store.get(rest_url)
        if held is None:
            _out.print("Nobody is signed in.")
            return
        with AuthClient(rest_url, language) as client:
            client.revoke(held.refresh_token)
        store.put(rest_url, None)
    _out.print("Signed out.")


def _store() -> CredentialStore:
    if (store := CredentialStore.of(os.environ)) is None:
        raise Misuse("There is nowhere to keep a session: neither HOME nor XDG_CONFIG_HOME is set")
    return store


def _chosen(wanted: str, offered: Sequence[auth_pb2.Provider]) -> str:
    names = [one.provider for one in offered]
    if wanted in names:
        return wanted
    if not wanted and len(names) == 1:
        return names[0]
    if not names:
        raise Misuse("No provider to sign in with is set up there: ECO2_AUTH_CLIENTS")
    raise Misuse(f"Name one of {', '.join(names)}: eco2 login {names[0]}")
