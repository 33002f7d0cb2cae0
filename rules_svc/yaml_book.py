"""The rule book as YAML files in `data/`, whose shape `data/*.schema.json` describes."""

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

import msgspec
import yaml

from rules_svc.questions import OpenCategory, OpenTag, Questions, Topic, Words
from rules_svc.rulebook import Effect, Exclusion, Redirect, Rule, Rulebook, Step, Tag
from rules_svc.taxonomy import Node, Path, Synonyms, Taxonomy, Text

DATA = files("rules_svc") / "data"


class NodeEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A category in `taxonomy.yaml`."""

    key: str
    name: Text
    synonyms: Synonyms
    children: list["NodeEntry"] = []

    def node(self, above: Path = ()) -> Node:
        """The category, below this path."""
        path = (*above, self.key)
        return Node(path, self.name, self.synonyms, tuple(child.node(path) for child in self.children))


class StepEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A step: its two texts and what it is about."""

    ko: str
    en: str
    about: str = ""

    def step(self) -> Step:
        """The step."""
        return Step(Text(self.ko, self.en), self.about)


class RuleEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A rule in a file of `rules/`."""

    id: str
    category: str
    steps: list[StepEntry]
    why: Text
    container: Text
    exclusions: list[Exclusion] = []
    hazards: list[Text] = []
    source: Text | None = None

    def rule(self, taxonomy: Taxonomy, shared_source: Text) -> Rule:
        """The rule, named after its category."""
        node = taxonomy[path_of(self.category)]
        return Rule(
            rule_id=self.id,
            path=node.path,
            title=node.name,
            steps=tuple(step.step() for step in self.steps),
            why=self.why,
            container=self.container,
            exclusions=tuple(self.exclusions),
            hazards=tuple(self.hazards),
            source=self.source or shared_source,
        )


class RuleFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file of `rules/`: rules that share a source."""

    source: Text
    rules: list[RuleEntry]


class RedirectEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A redirect of a tag."""

    to: str
    because: Text

    def redirect(self, taxonomy: Taxonomy) -> Redirect:
        """The redirect; where it leads must exist."""
        return Redirect(taxonomy[path_of(self.to)].path, self.because)


class EffectEntry(msgspec.Struct, forbid_unknown_fields=True):
    """What a tag in `tags.yaml` changes."""

    scopes: list[str]
    step: StepEntry | None = None
    last: bool = False
    container: Text | None = None
    hazard: Text | None = None
    redirect: RedirectEntry | None = None
    exact: bool = False

    def effect(self, taxonomy: Taxonomy) -> Effect:
        """The effect; every category it names must exist."""
        return Effect(
            scopes=tuple(taxonomy[path_of(scope)].path for scope in self.scopes),
            step=self.step.step() if self.step else None,
            last=self.last,
            container=self.container,
            hazard=self.hazard,
            redirect=self.redirect.redirect(taxonomy) if self.redirect else None,
            exact=self.exact,
        )


class TagEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A tag in `tags.yaml`."""

    key: str
    name: Text
    effects: list[EffectEntry]

    def tag(self, taxonomy: Taxonomy) -> Tag:
        """The tag."""
        return Tag(self.key, self.name, tuple(effect.effect(taxonomy) for effect in self.effects))


class OpenEntry(msgspec.Struct, forbid_unknown_fields=True):
    """What a category leaves open, in `questions.yaml`."""

    at: str
    ask: Text
    ask_which: Text | None = None
    tags: frozenset[str] = frozenset()
    words: Words = Words()

    def open_category(self) -> OpenCategory:
        """The open category."""
        return OpenCategory(path_of(self.at), self.ask, self.ask_which, self.tags, self.words)


class QuestionsFile(msgspec.Struct, forbid_unknown_fields=True):
    """`questions.yaml`."""

    asking: Words
    topics: list[Topic]
    open: list[OpenEntry]
    open_tags: list[OpenTag]
    unanswered: Text


def load_questions(data: Traversable = DATA) -> Questions:
    """What people ask, and what they have to be asked.

    Raises:
        msgspec.ValidationError: The file hasn't the right shape.
    """
    file = msgspec.convert(read(data / "questions.yaml"), QuestionsFile)
    return Questions(
        asking=file.asking,
        topics=tuple(file.topics),
        open=tuple(entry.open_category() for entry in file.open),
        open_tags=tuple(file.open_tags),
        unanswered=file.unanswered,
    )


def load(data: Traversable = DATA) -> Rulebook:
    """The rule book in a folder.

    Raises:
        ValueError: A rule id, a category or a tag stands there twice, or a major has no rule.
        msgspec.ValidationError: A file hasn't the right shape.
        mesh.errors.NotFound: A rule or a tag names a category that doesn't exist.
    """
    nodes = msgspec.convert(read(data / "taxonomy.yaml"), list[NodeEntry])
    taxonomy = Taxonomy.of([entry.node() for entry in nodes])
    rule_files = [msgspec.convert(read(file), RuleFile) for file in _yaml_files(data / "rules")]
    rules = [entry.rule(taxonomy, file.source) for file in rule_files for entry in file.rules]
    tags = [entry.tag(taxonomy) for entry in msgspec.convert(read(data / "tags.yaml"), list[TagEntry])]
    book = Rulebook(
        version=_digest(data),
        taxonomy=taxonomy,
        tags=MappingProxyType({tag.key: tag for tag in tags}),
        rules=MappingProxyType({rule.path: rule for rule in rules}),
    )
    if not len(rules) == len(book.rules) == len({rule.rule_id for rule in rules}):
        raise ValueError("two rules share an id or a category")
    if len(book.tags) != len(tags):
        raise ValueError("a tag stands in the list twice")
    if missing := [major.path for major in taxonomy.majors if major.path not in book.rules]:
        raise ValueError(f"no rule for {missing}")
    return book


def read(file: Traversable) -> Any:
    """A YAML file's content."""
    return yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)


def path_of(text: str) -> Path:
    """A category as the files write it: 재활용폐기물/종이/신문지."""
    return tuple(text.split("/"))


def _yaml_files(folder: Traversable) -> Iterator[Traversable]:
    yield from sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)


def _digest(data: Traversable) -> str:
    """Twelve hex digits that change with any file a person's answer comes from."""
    digest = hashlib.sha256()
    for file in [*_yaml_files(data), *_yaml_files(data / "rules")]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
