"""Migrations only add (docs/adr/0012-migrations-only-add.md): the previous release runs while they are applied."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MIGRATIONS = sorted(ROOT.glob("*_svc/migrations/*.sql"))

_IGNORED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|/\*.*?\*/|--(?! Unused since )[^\n]*", re.DOTALL)
_HAZARDS = {
    "drop": re.compile(r"\bdrop\b"),
    "truncate": re.compile(r"\btruncate\b"),
    "rename": re.compile(r"\brename\b"),
    "type": re.compile(r"^alter table .*\balter (column )?\S+ (set data )?type\b"),
    "not null": re.compile(r"^alter table .*\b(set not null\b|add (?!constraint)(?![^,]* default )[^,]* not null\b)"),
    "constraint": re.compile(r"^alter table .*\badd (constraint|check|unique|primary key|foreign key|exclude)\b"),
    "unique index": re.compile(r"^create unique index\b"),
}
_CREATED = re.compile(r"^create table (?:if not exists )?([\w.]+)")
_MOVED = re.compile(r"^alter table ([\w.]+) rename to \w+$")
_TARGET = re.compile(r"^(?:alter table (?:if exists )?(?:only )?|create unique index .*? on (?:only )?)([\w.]+)")


def statements(sql: str) -> Iterator[str]:
    """The statements, in lower case on one line each; without comments, texts and the bodies of functions."""
    for statement in _IGNORED.sub(" ", sql).split(";"):
        yield " ".join(statement.lower().split())


def hazards(sql: str) -> list[str]:
    """What in a migration would break a release that doesn't know it.

    A table may make room for another one of its name, such as one in partitions: all is done in one transaction.
    """
    found, created = list[str](), set[str]()
    replaced = {table[1] for statement in statements(sql) if (table := _CREATED.match(statement))}
    for statement in statements(sql):
        if table := _CREATED.match(statement):
            created.add(table[1])
        target = _TARGET.match(statement)
        moved = _MOVED.match(statement)
        if moved and moved[1] in replaced - created:
            continue
        if statement.startswith("-- unused since ") or (target and target[1] in created):
            continue
        found += [name for name, pattern in _HAZARDS.items() if pattern.search(statement)]
    return found


@pytest.mark.parametrize("file", MIGRATIONS, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_a_migration_only_adds(file: Path) -> None:
    """For minutes, after a rollback for days, the release before runs on this schema."""
    assert hazards(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("sql", "hazard"),
    [
        ("drop table scan.job;", "drop"),
        ("alter table scan.job drop column stage;", "drop"),
        ("drop index scan.job_dead;", "drop"),
        ("truncate scan.job;", "truncate"),
        ("alter table scan.job rename column stage to step;", "rename"),
        ("alter table scan.job rename to work;", "rename"),
        ("alter table scan.job rename to work; create table scan.jobs (id uuid);", "rename"),
        ("alter table scan.job alter attempt type bigint;", "type"),
        ("alter table scan.job\n    alter column attempt set data type bigint;", "type"),
        ("alter table scan.job alter column stage set not null;", "not null"),
        ("alter table scan.job add column cost integer not null;", "not null"),
        ("alter table scan.job add a text default 'x', add cost integer not null;", "not null"),
        ("alter table scan.job add constraint few check (attempt < 9);", "constraint"),
        ("alter table scan.job add check (attempt < 9);", "constraint"),
        ("create unique index job_ref on scan.job (ref);", "unique index"),
        ("-- adds nothing\ncreate table a (b text);\nDROP VIEW scan.scan_detail;", "drop"),
    ],
)
def test_what_breaks_the_previous_release_is_found(sql: str, hazard: str) -> None:
    """A check that finds nothing proves nothing."""
    assert hazards(sql) == [hazard]


@pytest.mark.parametrize(
    "sql",
    [
        "create table scan.note (id uuid primary key, text text not null); -- drop it some day",
        "create table scan.note (id uuid); create unique index note_id on scan.note (id);",
        "create table scan.note (id uuid); alter table scan.note add constraint one unique (id);",
        "alter table scan.job add column cost integer not null default 0, add column note text;",
        "alter table scan.log rename to log_before; create table scan.log (at date) partition by range (at);",
        "create index job_archived on scan.job (stage) where state = 'rename; drop';",
        "create function f() returns trigger language plpgsql as $$ begin drop table t; end $$;",
        "-- Unused since 0.7: nobody reads it.\nalter table scan.job drop column note;",
    ],
)
def test_what_only_adds_is_allowed(sql: str) -> None:
    """A check that is in the way is switched off."""
    assert hazards(sql) == []
