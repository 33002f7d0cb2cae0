"""The rule book as files in `data/`: YAML whose shape `data/*.schema.json` describes, and a gazetteer in CSV."""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import yaml

from mesh.validation.normalization import composed
from rules_svc.answers.questions import Questions
from rules_svc.loading.question_entries import QuestionsFile
from rules_svc.loading.region_entries import OverlayEntry, RegionWords
from rules_svc.loading.schema import (
    HeadsFile,
    ItemFile,
    RuleFile,
    TagEntry,
    TaxonomyFile,
    majors_of,
)
from rules_svc.loading.take_apart_entries import TakeApartFile
from rules_svc.rulebook.boundaries import Boundaries
from rules_svc.rulebook.gazetteer import FormerRegion, Region
from rules_svc.rulebook.regions import NATION, Regions
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Taxonomy

DATA = files("rules_svc") / "data"

T = TypeVar("T")


def load_questions(data: Traversable = DATA) -> Questions:
    """What users ask, and what they are asked back.

    Raises:
        msgspec.ValidationError: The file doesn't have the right shape.
    """
    return _shaped(data / "questions.yaml", QuestionsFile).questions()


def load(data: Traversable = DATA) -> Rulebook:
    """The rule book in a folder.

    Raises:
        ValueError: A rule id, a category or a tag occurs twice, a major has no rule, an item has an unknown tag, or a
            plan to take something apart contradicts another or itself.
        msgspec.ValidationError: A file doesn't have the right shape.
        mesh.errors.NotFound: A rule, a tag or an item names a category that doesn't exist.
    """
    taxonomy = load_taxonomy(data)
    rule_files = [_shaped(file, RuleFile) for file in _yaml_files(data / "rules")]
    rules = [entry.rule(taxonomy, file) for file in rule_files for entry in file.rules]
    tags = [entry.tag(taxonomy) for entry in _shaped(data / "tags.yaml", list[TagEntry])]
    item_files = [_shaped(file, ItemFile) for file in _yaml_files(data / "items")]
    items = tuple(entry.item(taxonomy, file) for file in item_files for entry in file.items)
    plans_file = _shaped(data / "take_apart.yaml", TakeApartFile)
    book = Rulebook(
        version=_digest(data),
        taxonomy=taxonomy,
        tags=MappingProxyType({tag.key: tag for tag in tags}),
        rules=MappingProxyType({rule.path: rule for rule in rules}),
        regions=_load_regions(data, taxonomy),
        items=items,
        take_apart_plans=plans_file.parsed(taxonomy, {tag.key for tag in tags}),
    )
    if not len(rules) == len(book.rules) == len({rule.rule_id for rule in rules}):
        raise ValueError("two rules share an id or a category")
    if len(book.tags) != len(tags):
        raise ValueError("a tag stands in the list twice")
    if unknown := {f"{tag} of {item.name.ko}" for item in book.items for tag in item.tags if tag not in book.tags}:
        raise ValueError(f"no such tags: {sorted(unknown)}")
    plans = {item.take_apart for item in items if item.take_apart}
    if unknown := {plan for plan in plans if plan not in book.take_apart_plans}:
        raise ValueError(f"no such plans to take an item apart: {sorted(unknown)}")
    if missing := [major.path for major in taxonomy.majors if major.path not in book.rules]:
        raise ValueError(f"no rule for {missing}")
    return book


def load_taxonomy(data: Traversable = DATA) -> Taxonomy:
    """Every category, with the rules for names of several words. Raises as `load` does."""
    taxonomy = Taxonomy.of(majors_of(_shaped(file, TaxonomyFile) for file in _yaml_files(data / "taxonomy")))
    return replace(taxonomy, compounds=_shaped(data / "heads.yaml", HeadsFile).compounds(taxonomy))


def _shaped(file: Traversable, shape: type[T]) -> T:
    """A file's content; an error carries the file's name."""
    try:
        return msgspec.convert(read(file), shape)
    except (UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        error.add_note(f"in {file.name}")
        raise


def read(file: Traversable) -> Any:
    """A YAML file's content, composed (NFC): some editors write Korean decomposed."""
    return yaml.load(_text(file), Loader=yaml.CSafeLoader)


def _rows(file: Traversable) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(_text(file)))


def _text(file: Traversable) -> str:
    return composed(file.read_text("utf-8-sig"))


def _load_regions(data: Traversable, taxonomy: Taxonomy) -> Regions:
    """The gazetteer and what is known of its regions.

    Raises:
        ValueError: A region occurs twice or doesn't exist, or the nation is missing.
    """
    folder, words = data / "regions", _shaped(data / "special_collections.yaml", RegionWords)
    entries = [entry for file in _yaml_files(folder) for entry in _shaped(file, list[OverlayEntry])]
    overlays = [entry.overlay(taxonomy, words) for entry in entries]
    gazetteer = [
        Region(row["code"], row["key"], row["english"], float(row["latitude"]), float(row["longitude"]))
        for row in _rows(folder / "gazetteer.csv")
    ]
    lost = _rows(folder / "former.csv")
    former = [FormerRegion(row["code"], row["key"], tuple(row["now"].split(";"))) for row in lost]
    (nation,) = (overlay for overlay in overlays if overlay.key == NATION)
    rings = msgspec.json.decode(_text(folder / "boundaries.json"), type=dict[str, list[list[int]]])
    bins = MappingProxyType({kind: entry.bin(taxonomy) for kind, entry in words.bins.items()})
    local = [one for one in overlays if one.key != NATION]
    return Regions.of(gazetteer, local, nation, former, Boundaries.of(rings), bins)


def _yaml_files(folder: Traversable) -> Iterator[Traversable]:
    yield from sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)


def _digest(data: Traversable) -> str:
    """Twelve hex digits that change with any file that answers are made from."""
    digest = hashlib.sha256()
    regions = data / "regions"
    for file in [
        *_yaml_files(data),
        *_yaml_files(data / "taxonomy"),
        *_yaml_files(data / "rules"),
        *_yaml_files(data / "items"),
        *_yaml_files(regions),
        regions / "gazetteer.csv",
        regions / "former.csv",
        regions / "boundaries.json",
    ]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
