"""The entries of the rule book's YAML files, and the domain objects they become."""

from collections.abc import Iterable

import msgspec

from mesh.locale import Text
from rules_svc.collection.streams import Stream
from rules_svc.rulebook.effects import Effect, Redirect, Step, Tag
from rules_svc.rulebook.items import Item
from rules_svc.rulebook.rules import Exclusion, Rule
from rules_svc.rulebook.taxonomy import Node, Path, Synonyms, Taxonomy
from rules_svc.search.compounds import Compound, Compounds, FoldedWords, Material
from rules_svc.search.states import Words
from rules_svc.search.wordings import Pattern, pattern_of


def path_of(text: str) -> Path:
    """A category as the files write it: 재활용폐기물/종이/신문지."""
    return tuple(text.split("/"))


class NodeEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A category in a file of `taxonomy/`."""

    key: str
    name: Text
    synonyms: Synonyms
    children: list["NodeEntry"] = []
    former: list[str] = []

    def node(self, above: Path = ()) -> Node:
        """The category, below this path."""
        path = (*above, self.key)
        children = tuple(child.node(path) for child in self.children)
        return Node(path, self.name, self.synonyms, children, tuple(map(path_of, self.former)))


class TaxonomyFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file of `taxonomy/`: categories, at the top or below one of an earlier file."""

    categories: list[NodeEntry]
    below: str = ""


def majors_of(taxonomy_files: Iterable[TaxonomyFile]) -> list[Node]:
    """The tree's roots, in the files' order.

    Raises:
        ValueError: A file hangs its categories below one that no earlier file has.
    """
    root = NodeEntry("", Text("", ""), Synonyms())
    for file in taxonomy_files:
        above = root
        for key in path_of(file.below) if file.below else ():
            below = next((entry for entry in above.children if entry.key == key), None)
            if below is None:
                raise ValueError(f"no earlier taxonomy file has {file.below}")
            above = below
        above.children.extend(file.categories)
    return [entry.node() for entry in root.children]


class CompoundEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A last noun in `heads.yaml`."""

    heads: FoldedWords
    to: str
    of: FoldedWords = FoldedWords()
    perhaps: bool = False

    def compound(self, taxonomy: Taxonomy) -> Compound:
        """The noun; where it leads must exist."""
        return Compound(self.heads, taxonomy[path_of(self.to)].path, self.of, self.perhaps)


class MaterialEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A material in `heads.yaml`."""

    words: FoldedWords
    to: str
    own: list[str]
    decides: bool = False

    def material(self, taxonomy: Taxonomy) -> Material:
        """The material; every category it names must exist."""
        own = tuple(taxonomy[path_of(one)].path for one in self.own)
        return Material(self.words, taxonomy[path_of(self.to)].path, own, self.decides)


class HeadsFile(msgspec.Struct, forbid_unknown_fields=True):
    """`heads.yaml`."""

    heads: list[CompoundEntry]
    materials: list[MaterialEntry]

    def compounds(self, taxonomy: Taxonomy) -> Compounds:
        """Everything known about names of several words."""
        return Compounds(
            tuple(one.compound(taxonomy) for one in self.heads),
            tuple(one.material(taxonomy) for one in self.materials),
        )


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
    stream: Stream | None = None
    fee: Text | None = None
    fixed: bool = False

    def rule(self, taxonomy: Taxonomy, file: "RuleFile") -> Rule:
        """The rule, named after its category; fields it lacks come from its file."""
        node = taxonomy[path_of(self.category)]
        return Rule(
            rule_id=self.id,
            path=node.path,
            title=node.name,
            steps=tuple(step.step() for step in self.steps),
            why=self.why,
            container=self.container,
            exclusions=tuple(self.exclusions),
            hazards=tuple(dict.fromkeys(self.hazards)),
            source=self.source or file.source,
            stream=self.stream or file.stream,
            fee=self.fee,
            fixed=self.fixed,
        )


class RuleFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file of `rules/`: rules that share a source and, mostly, a stream."""

    source: Text
    rules: list[RuleEntry]
    stream: Stream | None = None


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


class PatternsEntry(msgspec.Struct, forbid_unknown_fields=True):
    """Patterns in both languages."""

    ko: list[str] = []
    en: list[str] = []

    def patterns(self) -> tuple[Pattern, ...]:
        """The patterns; people mix languages, so both are looked for."""
        return tuple(pattern_of(text) for text in (*self.ko, *self.en))


class SaidEntry(PatternsEntry, forbid_unknown_fields=True):
    """What people say of a tag in `tags.yaml`."""

    undone: PatternsEntry = msgspec.field(default_factory=PatternsEntry)
    scopes: list[str] = []

    def words(self, taxonomy: Taxonomy) -> Words:
        """The words; every category they name must exist."""
        scopes = tuple(taxonomy[path_of(scope)].path for scope in self.scopes)
        return Words(self.patterns(), self.undone.patterns(), scopes)


class TagEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A tag in `tags.yaml`."""

    key: str
    name: Text
    effects: list[EffectEntry]
    said: list[SaidEntry] = []

    def tag(self, taxonomy: Taxonomy) -> Tag:
        """The tag."""
        effects = tuple(effect.effect(taxonomy) for effect in self.effects)
        return Tag(self.key, self.name, effects, tuple(entry.words(taxonomy) for entry in self.said))


# Of an item whose note its source doesn't tell.
_ADVICE = Text("(덧붙인 말은 일반적인 안내)", " (the note is general advice)")


class ItemEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A thing in a file of `items/`."""

    ko: str
    en: str
    category: str
    also: Synonyms = Synonyms()
    tags: tuple[str, ...] = ()
    note: Text | None = None
    advice: bool = False
    source: Text | None = None
    as_of: str = ""
    take_apart: str = ""

    def item(self, taxonomy: Taxonomy, file: "ItemFile") -> Item:
        """The item; fields it lacks come from its file. A source that doesn't tell the note isn't named for it."""
        source = self.source or file.source
        if self.advice:
            source = Text(f"{source.ko}{_ADVICE.ko}", f"{source.en}{_ADVICE.en}")
        return Item(
            path=taxonomy[path_of(self.category)].path,
            name=Text(self.ko, self.en),
            also=self.also,
            tags=self.tags,
            note=self.note,
            source=source,
            as_of=self.as_of or file.as_of,
            take_apart=self.take_apart,
        )


class ItemFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file of `items/`: things that share, mostly, a source."""

    source: Text
    as_of: str
    items: list[ItemEntry]
