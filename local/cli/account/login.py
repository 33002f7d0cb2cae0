"""`eco2 login`: a session of one's own, by a browser, or as a guest."""

import base64
import hashlib
import os
import secrets
import threading
from collections.abc import Sequence

import click

from eco2.auth.v1 import auth_pb2
from local.cli import session
from local.cli.account.credentials import CredentialStore
from local.cli.account.loopback import RedirectListener
from local.cli.account.signed_in import of_session
from local.cli.account.visit import visit
from local.cli.api.auth import AuthClient
from local.cli.commands import command
from local.cli.display import terminal
from local.cli.options import Invocation, common
from local.errors import Misuse

_WAIT_SECONDS = 600.0
_HIDDEN = "Commands still act by ECO2_TOKEN, which is set and goes before it: unset it."


@command("login", "eco2 login", "eco2 login kakao", "eco2 login --no-browser", "eco2 login --guest")
@click.argument("provider", default="")
@click.option("--browser/--no-browser", default=True, help="Open the browser, or only print the address.")
@click.option("--guest", is_flag=True, help="Begin as somebody new whom nobody knows; no browser, no provider.")
@common
def login(invocation: Invocation, provider: str, browser: bool, guest: bool) -> None:
    """Sign in, in the browser or as a guest.

    Other commands are yours from then on. PROVIDER, such as kakao, may be left out where there is only one.
    """
    if guest and provider:
        raise click.BadParameter("a guest signs in with no provider")
    rest_url, store = session.rest_url(invocation.var, os.environ), CredentialStore.required(os.environ)
    with AuthClient(rest_url, invocation.locale) as client:
        signed_in = client.guest() if guest else _signed_in(client, provider, browser, invocation)
    with store.locked():
        store.put(rest_url, of_session(signed_in))
    hidden = bool(os.environ.get("ECO2_TOKEN"))
    if invocation.as_json:
        told = {"rest_url": rest_url, "user_id": signed_in.user_id, "guest": signed_in.guest, "hidden_by_token": hidden}
        terminal.print_json(told)
    else:
        print(f"Signed in at {rest_url} as {signed_in.user_id}. Sign out: eco2 logout")
        if hidden:
            terminal.complain(_HIDDEN, "TOKEN_OVERRIDES", as_json=False)


def _signed_in(client: AuthClient, provider: str, browser: bool, invocation: Invocation) -> auth_pb2.Session:
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    with RedirectListener() as listener:
        chosen = _chosen(provider, client.providers())
        begun = client.begin(chosen, listener.redirect_uri, challenge)
        if invocation.as_json:
            terminal.print_json({"authorization_url": begun.authorization_url})
        else:
            print(f"Sign in here:\n{begun.authorization_url}", flush=True)
        if browser:
            # A browser without a window ends only after it has been sent back, so somebody must listen by then.
            visiting = (begun.authorization_url, listener.redirect_uri)
            threading.Thread(target=visit, args=visiting, daemon=True).start()
        back = listener.wait(begun.state, _WAIT_SECONDS)
        if back is None or "code" not in back:
            raise Misuse(f"Nobody signed in: {back.get('error', 'no answer') if back else 'ten minutes are over'}")
        return client.complete(chosen, begun.state, back["code"], verifier)


def _chosen(wanted: str, offered: Sequence[auth_pb2.Provider]) -> str:
    names = [one.provider for one in offered]
    if wanted in names:
        return wanted
    if not wanted and len(names) == 1:
        return names[0]
    if not names:
        raise Misuse("No provider to sign in with is set up there: ECO2_AUTH_CLIENTS")
    raise Misuse(f"Name one of {', '.join(names)}: eco2 login {names[0]}")
