"""The entries of `questions.yaml`, and the domain objects they become."""

import msgspec

from mesh.locale import Text
from rules_svc.answers.questions import Choice, Keywords, OpenCategory, OpenTag, Questions, Topic
from rules_svc.loading.schema import path_of


class ChoiceEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A reply that settles an open question, in `questions.yaml`."""

    label: Text
    words: Keywords
    denial: Keywords = Keywords()
    to: str | None = None
    tags: tuple[str, ...] = ()

    def choice(self) -> Choice:
        """The choice."""
        return Choice(self.label, self.words, self.denial, path_of(self.to) if self.to else None, self.tags)


class OpenEntry(msgspec.Struct, forbid_unknown_fields=True):
    """What a category leaves open, in `questions.yaml`."""

    at: str
    ask: Text
    ask_which: Text | None = None
    tags: frozenset[str] = frozenset()
    words: Keywords = Keywords()
    choices: list[ChoiceEntry] = []
    any_name: bool = False

    def open_category(self) -> OpenCategory:
        """The open category."""
        return OpenCategory(
            at=path_of(self.at),
            ask=self.ask,
            ask_which=self.ask_which,
            tags=self.tags,
            words=self.words,
            choices=tuple(choice.choice() for choice in self.choices),
            any_name=self.any_name,
        )


class QuestionsFile(msgspec.Struct, forbid_unknown_fields=True):
    """`questions.yaml`."""

    asking: Keywords
    topics: list[Topic]
    open: list[OpenEntry]
    open_tags: list[OpenTag]
    contradicted: Text
    region: Text
    unanswered: Text
    unclear: Text
    settled: Text
    confirmed: Text
    denied: Text
    guess: Text

    def questions(self) -> Questions:
        """Everything known about questions."""
        return Questions(
            asking=self.asking,
            topics=tuple(self.topics),
            open=tuple(entry.open_category() for entry in self.open),
            open_tags=tuple(self.open_tags),
            contradicted=self.contradicted,
            region=self.region,
            unanswered=self.unanswered,
            unclear=self.unclear,
            settled=self.settled,
            confirmed=self.confirmed,
            denied=self.denied,
            guess=self.guess,
        )
