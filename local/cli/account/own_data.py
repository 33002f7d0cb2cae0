"""`eco2 whoami`, `eco2 delete-me`: one's account, and its end."""

import os

import click

from eco2.auth.v1 import auth_pb2
from local.cli.account.credentials import CredentialStore
from local.cli.api.account import AccountClient
from local.cli.commands import command
from local.cli.display import terminal
from local.cli.display.values import local_time
from local.cli.options import Invocation, common
from mesh.locale import Locale, Text

_SURE = Text(
    ko="사진과 기록, 캐릭터를 모두 지우고 계정을 닫을까요? 되돌릴 수 없어요.",
    en="Delete all photos, history and characters, and close the account? This can't be undone.",
)
_GUEST = Text(ko="손님", en="guest")
_SINCE = Text(ko="{time}부터", en="since {time}")
_SESSIONS = Text(ko="열린 세션 {count}개", en="open sessions: {count}")


@command("whoami", "eco2 whoami", "eco2 whoami --json")
@common
def whoami(invocation: Invocation) -> None:
    """Show who you are here.

    And since when, with which providers, and in how many sessions.
    """
    found = invocation.session()
    with AccountClient(found.rest_url, found.token, invocation.locale) as client:
        account = client.me()
    if invocation.as_json:
        terminal.print_json(account)
    else:
        print(" · ".join(_told(account, invocation.locale)))


@command("delete-me", "eco2 delete-me", "eco2 delete-me --yes")
@click.option("--yes", is_flag=True, help="Don't ask.")
@common
def delete_me(invocation: Invocation, yes: bool) -> None:
    """Close your account and delete all that is kept of you.

    Nobody can take it back.
    """
    if invocation.as_json and not yes:
        raise click.UsageError("A program isn't asked: add --yes.")
    found = invocation.session()
    if not yes:
        click.confirm(_SURE[invocation.locale], abort=True, err=True)
    with AccountClient(found.rest_url, found.token, invocation.locale) as client:
        reply = client.delete()
    if store := CredentialStore.of(os.environ):
        with store.locked():
            store.put(found.rest_url, None)
    if invocation.as_json:
        terminal.print_json(reply)
    else:
        print(reply.message)


def _told(account: auth_pb2.Account, locale: Locale) -> list[str]:
    parts = [account.user_id]
    if account.guest:
        parts.append(_GUEST[locale])
    parts += [" ".join(filter(None, (one.provider, one.name))) for one in account.identities]
    if account.HasField("create_time"):
        parts.append(_SINCE[locale].format(time=local_time(account.create_time)))
    if account.session_count:
        parts.append(_SESSIONS[locale].format(count=account.session_count))
    return parts
