"""Every character there is. The catalogue is data, read once and never changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Self

import msgspec
import yaml

from mesh.locale import Text


@dataclass(frozen=True, slots=True)
class Character:
    """A collectable character.

    Attributes:
        id: Stable id; collections refer to it.
        middle: Its middle category; empty for the default character.
        name: What it is called.
        dialogue: What it says when it is earned.
    """

    id: str
    middle: str
    name: Text
    dialogue: Text


class Catalogue:
    """The characters in the taxonomy's order, the default one last.

    Args:
        characters: All of them; exactly the last has no middle category.

    Raises:
        ValueError: An id or a middle category occurs twice, or the default character isn't the last.
    """

    def __init__(self, characters: Sequence[Character]) -> None:
        self._characters = tuple(characters)
        self._by_id = MappingProxyType({character.id: character for character in characters})
        self._by_middle = MappingProxyType({character.middle: character for character in characters})
        if not len(self._by_id) == len(self._by_middle) == len(self._characters):
            raise ValueError("two characters share an id or a middle category")
        if not characters or characters[-1].middle:
            raise ValueError("the last character must be the default one, without a middle category")

    @classmethod
    def load(cls) -> Self:
        """The catalogue in `data/characters.yaml`.

        Raises:
            msgspec.ValidationError: A field or a language is missing.
        """
        text = (files("character_svc") / "data" / "characters.yaml").read_text("utf-8")
        return cls(msgspec.convert(yaml.safe_load(text), list[Character]))

    def __iter__(self) -> Iterator[Character]:
        return iter(self._characters)

    def __getitem__(self, character_id: str) -> Character:
        return self._by_id[character_id]

    @property
    def default(self) -> Character:
        """The character that is earned where none belongs to the middle category."""
        return self._characters[-1]

    def of_middle(self, middle: str) -> Character | None:
        """The character of a middle category; None if there is none, and for an empty one."""
        return self._by_middle.get(middle) if middle else None
