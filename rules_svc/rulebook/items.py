"""What people throw away, by name: things that are finer than the taxonomy's categories."""

from dataclasses import dataclass

from mesh.locale import Text
from rules_svc.rulebook.taxonomy import Path, Synonyms


@dataclass(frozen=True, slots=True)
class Item:
    """A thing with a name of its own.

    Attributes:
        path: The category whose rule it follows.
        name: What most people call it.
        also: What else they call it. Each name belongs to this item alone.
        tags: Situations it is always in, whatever the user says.
        note: What the rule alone doesn't tell of it: when it goes elsewhere, or in which bag; None if nothing.
        source: Where that is published.
        as_of: Day the source was read, YYYY-MM-DD.
        take_apart: Id of its own plan to take it apart; empty if its category's applies.
    """

    path: Path
    name: Text
    also: Synonyms
    tags: tuple[str, ...]
    note: Text | None
    source: Text
    as_of: str
    take_apart: str = ""
