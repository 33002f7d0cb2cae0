"""What the rule book is asked, and what is right: tables of the suite and of this bench, and other material.

`asked.yaml` was open while the search was made; `held_out.yaml` was written afterwards and scored before anything was
mended.

A folder of material may hold

    cases/items.txt                              `what people type|bin or bin`, a line each
    cases/domain/questions.yaml                  questions with what the answer must say
    reference/official-dictionary-730.json       the national dictionary: names, similar names, classes

Bins are names of majors or middles, or paths from the major down.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from mesh.locale import Locale

TABLES = Path(__file__).parents[2] / "tests" / "unit" / "rules" / "search"

# Classes of the national dictionary by other names than the taxonomy's.
_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "전기전자 제품류": "전기전자제품",
        "합성수지 용기류": "플라스틱류",
        "합성수지 비닐류": "비닐류",
        "의류 및 원단": "의류및원단",
        "발포합성수지(스티로폼 등)": "발포합성수지",
        "전지류": "전지",
        "공사장 생활폐기물": "공사장생활폐기물",
        "생활계 유해폐기물": "생활계유해폐기물",
    }
)
# What the dictionary names above a class, which says nothing by itself.
_ABOVE = frozenset({"재활용폐기물", "일반폐기물", "기타"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the rule that is found must tell.

    Attributes:
        groups: One word of each must be in its text.
        never: None of these may be in its container.
    """

    groups: tuple[tuple[str, ...], ...] = ()
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        kind: Which table it is from.
        text: What somebody types, or replies.
        locale: In which language.
        bins: Where it may go; empty if only what is told counts.
        told: What the rule must tell; None if only the bin counts.
        tags: Situations: for a search, the first that is known goes with it; for a reply, one of them must be set.
        region: Where the person lives.
        of: For a reply: the thing in the photo.
        before: For a reply: the situations known before it.
        gone: For a reply that denies: what must not be left of them.
        remark: Whether it is written with a photo that shows nothing for sure.
    """

    kind: str
    text: str
    locale: Locale = Locale.KO
    bins: frozenset[str] = frozenset()
    told: Told | None = None
    tags: tuple[str, ...] = ()
    region: str = ""
    of: str = ""
    before: tuple[str, ...] = ()
    gone: frozenset[str] = frozenset()
    remark: bool = False


def committed() -> Iterator[Question]:
    """The suite's own tables."""
    for text, path in _yaml(TABLES / "searches.yaml").items():
        yield Question("searches.yaml", text, language(text), frozenset({path}))
    for text, bins in _yaml(TABLES / "items.yaml").items():
        yield Question("items.yaml", text, language(text), frozenset(bins))
    for name in ("asked.yaml", "held_out.yaml"):
        for entry in _yaml(Path(__file__).with_name(name)):
            yield _written(name, entry)


def _written(name: str, entry: Mapping[str, Any]) -> Question:
    text = entry.get("ask") or entry["reply"]
    return Question(
        kind=f"{name}: {entry['kind']}",
        text=text,
        locale=language(text),
        bins=frozenset(entry.get("bins", ())),
        told=Told(tuple(map(tuple, entry["told"]))) if "told" in entry else None,
        tags=tuple(entry.get("tags", ())),
        region=entry.get("region", ""),
        of=entry.get("of", ""),
        before=tuple(entry.get("before", ())),
        gone=frozenset(entry.get("gone", ())),
        remark=entry["kind"] == "remark",
    )


def of_folder(folder: Path) -> Iterator[Question]:
    """What a folder of material holds; files that it lacks are left out."""
    for name, read in _READERS.items():
        if (file := folder / name).is_file():
            yield from read(file)


def _board_items(file: Path) -> Iterator[Question]:
    for line in file.read_text("utf-8").splitlines():
        text, _, bins = line.strip().partition("|")
        if bins and not text.startswith("#"):
            yield Question("items.txt", text, language(text), frozenset(bins.split("|")[0].split(" or ")))


def _dictionary(file: Path) -> Iterator[Question]:
    """Names and similar names, each with every class that the dictionary gives it: by material, size or state."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in json.loads(file.read_text("utf-8"))["items"]:
        classes = {_CLASSES.get(one, one).replace(" ", "") for one in entry["classification"] if one not in _ABOVE}
        if classes:
            names["dictionary, names", entry["name"]] |= classes
            for similar in entry["similar"]:
                names["dictionary, similar names", similar] |= classes
    for (kind, text), classes in names.items():
        yield Question(kind, text, bins=frozenset(classes))


def _questions(file: Path) -> Iterator[Question]:
    for entry in _yaml(file):
        yield from _KINDS[entry["kind"]](entry, entry["expects"])


def _item(entry: Mapping[str, Any], expects: Mapping[str, Any]) -> Iterator[Question]:
    bins, told = frozenset(expects["places"]), Told((tuple(expects["destination"]),), _never(expects))
    yield Question("questions: items", entry["question_ko"], bins=bins, told=told)
    if english := entry.get("question_en"):
        yield Question("questions: items", english, Locale.EN, bins)


def _condition(entry: Mapping[str, Any], expects: Mapping[str, Any]) -> Iterator[Question]:
    told, tags = _must_say(expects), tuple(entry["tags_any"])
    yield Question("questions: conditions as tags", entry["search"], told=told, tags=tags)
    for locale in Locale:
        if said := entry.get(f"question_{locale}"):
            kind = "questions: conditions as replies"
            yield Question(kind, said, locale, told=told, tags=tags, of=entry["search"])


def _local(entry: Mapping[str, Any], expects: Mapping[str, Any]) -> Iterator[Question]:
    kind = "questions: municipalities" if entry.get("region") else "questions: recent changes"
    yield Question(kind, entry["search"], told=_must_say(expects), region=entry.get("region", ""))


def _board(entry: Mapping[str, Any], expects: Mapping[str, Any]) -> Iterator[Question]:
    text = entry["question_ko"]
    yield Question("questions: the public board", text, language(text), frozenset(expects["places"]))


def _must_say(expects: Mapping[str, Any]) -> Told:
    return Told(tuple(tuple(group) for group in expects["must_say"]), _never(expects))


def _never(expects: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(expects["container_must_not"])


def _yaml(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader)


def language(text: str) -> Locale:
    """In which language somebody typed a text."""
    return Locale.EN if text.isascii() else Locale.KO


_READERS = MappingProxyType(
    {
        "cases/items.txt": _board_items,
        "cases/domain/questions.yaml": _questions,
        "reference/official-dictionary-730.json": _dictionary,
    }
)
_KINDS = MappingProxyType(
    {"a-item": _item, "b-condition": _condition, "c-municipality": _local, "d-recent": _local, "e-board": _board}
)
