"""`python -m local.cli.reference` prints docs/cli.md: the help of every command, as the commands themselves tell it."""

from collections.abc import Iterator

import click

from local.cli.commands import EXIT_STATUSES, SECTIONS, eco2

_WIDTH = 100
_TOP = """\
# The `eco2` command

Made by `make gen` from the commands themselves, which tell the same by `-h`. All that the public API does, and what
operators and newcomers need.

- **Which stack, and as whom**: the one that `eco2 up` runs in the folder `var` (`--var`, `VAR`), or `ECO2_REST_URL`.
  With `ECO2_TOKEN`, else as who signed in by `eco2 login`, else as the stack's own user. Operators' commands go to
  Scan itself (`ECO2_SCAN_TARGET`), with a certificate under mutual TLS ([operations](operations.md#mutual-tls)).
- **JSON**: with `--json` standard output holds one document, in the API's own shape ([openapi.yaml](openapi.yaml)), or
  for `scan`, `watch`, `cancel`, `delete`, `login` and `up` one a line, as they come. Nothing else is printed, no bar
  either, and an error is a document on standard error: `{"error": {"reason": …, "message": …}}`, with
  `retry_after_seconds` where that is known.
- **Off a terminal** there are no colours and no bars, tables have tabs, and nothing is folded or cut. `NO_COLOR` takes
  colours away on a terminal, too.
- **Languages**: results are in Korean or English, by `--locale` or the terminal's.
- **Ctrl-C** ends a command, not a scan: `eco2 jobs` lists what goes on, `eco2 watch` follows it again;
  nor a job, which `eco2 jobs watch` follows.
- **Completion** of commands in bash, zsh and fish: `eco2 completion`.

## Exit status

| status | meaning |
|---|---|
"""


def page() -> str:
    """The page."""
    return _TOP + "".join(_statuses()) + "".join(_commands())


def _statuses() -> Iterator[str]:
    yield from (f"| {status} | {meaning} |\n" for status, meaning in EXIT_STATUSES.items())


def _commands() -> Iterator[str]:
    root = _context(eco2, "eco2", None)
    for heading, section in SECTIONS.items():
        yield f"\n## {heading}\n"
        for name in section:
            found = eco2.get_command(root, name)
            assert found is not None
            context = _context(found, name, root)
            if isinstance(found, click.Group):
                for child in found.commands.values():
                    yield from _help(child, _context(child, str(child.name), context))
            else:
                yield from _help(found, context)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"\n### {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(
        command, parent, name, terminal_width=_WIDTH, help_option_names=["-h", "--help"], show_default=None
    )


if __name__ == "__main__":
    print(page(), end="")
