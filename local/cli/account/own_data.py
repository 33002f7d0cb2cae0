"""`eco2 export`, `eco2 delete-account`: what is kept of oneself, as a file; and its end."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich import filesize
from rich.console import Console

from eco2.scan.v1.export_pb2 import Export
from local.cli.account.credentials import CredentialStore
from local.cli.api.rest import ScanClient
from local.cli.options import VAR, Language, Var
from local.cli.session import Session
from local.errors import Disconnected
from mesh.locale import Text

commands = typer.Typer()

_out = Console()

_POLL_SECONDS = 1.0
_SURE = Text(
    ko="사진과 기록, 캐릭터를 모두 지우고 계정을 닫을까요? 되돌릴 수 없어요.",
    en="Delete all photos, history and characters, and close the account? This can't be undone.",
)


@commands.command()
def export(
    language: Language,
    var: Var = VAR,
    file: Annotated[Path, typer.Argument(help="Where to put it.", dir_okay=False)] = Path("eco2-export.zip"),
) -> None:
    """Fetches all that is kept of you, as a zip."""
    if not file.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {file.parent}", param_hint="FILE")
    session = Session.find(var, os.environ)
    with ScanClient(session.rest_url, session.token, language) as client:
        made = client.begin_export()
        while made.state == Export.STATE_RUNNING:
            time.sleep(_POLL_SECONDS)
            made = client.export(made.export_id)
        if made.state != Export.STATE_SUCCEEDED:
            raise Disconnected("the export failed; try again later")
        client.fetch(made.download_url, file)
    _out.print(f"{file}: {filesize.decimal(made.size_bytes)}", highlight=False, soft_wrap=True)


@commands.command("delete-account")
def delete_account(
    language: Language, var: Var = VAR, yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False
) -> None:
    """Closes your account and deletes all that is kept of you."""
    session = Session.find(var, os.environ)
    if not yes:
        typer.confirm(_SURE[language], abort=True)
    with ScanClient(session.rest_url, session.token, language) as client:
        _out.print(client.delete_account().message)
    if store := CredentialStore.of(os.environ):
        with store.locked():
            store.put(session.rest_url, None)
