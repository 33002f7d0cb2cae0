"""`eco2 completion`: a script that completes commands in a shell."""

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from local.cli.commands import COMPLETE_VARIABLE, command, eco2
from local.errors import Misuse

_SHELLS = ("bash", "zsh", "fish")


@command(
    "completion", "eco2 completion bash >> ~/.bashrc", "eco2 completion zsh >> ~/.zshrc",
    "eco2 completion fish > ~/.config/fish/completions/eco2.fish",
)  # fmt: skip
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print a script that completes commands in your shell.

    SHELL is bash, zsh or fish; by default the one of $SHELL.
    """
    chosen = shell or PurePath(os.environ.get("SHELL", "")).name
    complete = get_completion_class(chosen) if chosen in _SHELLS else None
    if complete is None:
        raise Misuse(f"Name a shell: eco2 completion {'|'.join(_SHELLS)}")
    print(complete(eco2, {}, "eco2", COMPLETE_VARIABLE).source())
