"""`eco2 logout`: the end of a session, or of all."""

import os

import click

from local.cli import session
from local.cli.account.credentials import CredentialStore
from local.cli.api.account import AccountClient
from local.cli.api.auth import AuthClient
from local.cli.commands import command
from local.cli.display import terminal
from local.cli.options import Invocation, common


@command("logout", "eco2 logout", "eco2 logout --everywhere")
@click.option("--everywhere", is_flag=True, help="On all your devices, not only here.")
@common
def logout(invocation: Invocation, everywhere: bool) -> None:
    """End your session.

    Here and at the service.
    """
    rest_url, store = session.rest_url(invocation.var, os.environ), CredentialStore.required(os.environ)
    if everywhere:
        found = invocation.session()
        with AccountClient(rest_url, found.token, invocation.locale) as account:
            account.logout_everywhere()
    with store.locked():
        held = store.get(rest_url)
        if held and not everywhere:
            with AuthClient(rest_url, invocation.locale) as client:
                client.revoke(held.refresh_token)
        store.put(rest_url, None)
    ended = bool(held) or everywhere
    if invocation.as_json:
        terminal.print_json({"rest_url": rest_url, "signed_out": ended})
    else:
        print(("Signed out everywhere." if everywhere else "Signed out.") if ended else "Nobody is signed in.")
