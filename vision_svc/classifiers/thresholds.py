"""From a model's probabilities to a classification, or to an abstention.

Limits, measured on photos of strangers (model/README.md): it answers about one photo in five and is then right nine
times in ten; on photos like those it was trained on it answers most. It never recognises batteries, lamps or styrofoam,
can't tell clear from coloured PET, sees one object only, and knows nothing of situations (dirt, contents, caps), so it
never sets a tag.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vision_svc.classifiers.classification import UNKNOWN, Candidate, Classification, WasteKind
from vision_svc.classifiers.labels import GROUP_OF, GROUPS, KINDS, PERHAPS_BATTERY

# For each group the least from 0.50, in steps of 0.05, from which nine answers in ten are right on photos of sources
# that the heads never learned from; model/README.md says which, and what that is worth.
_THRESHOLDS: Mapping[str, float] = MappingProxyType(
    {"plastic": 0.65, "clothes": 0.80, "ewaste": 0.55, "food": 0.80, "trash": 0.60}
)
_THRESHOLD = 0.50  # of every other group
_NONWASTE_LIMIT = 0.60  # from here on the photo shows an animal, a vehicle or a landscape
_LABEL_SHARE = 0.70  # share of its group's probability that a label needs to be named
_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Probabilities:
    """A model's probabilities for one photo.

    Attributes:
        labels: Of each label of `KINDS`, 0 to 1; they add up to at most 1.
        nonwaste: That it is no waste at all, 0 to 1.
    """

    labels: Mapping[str, float]
    nonwaste: float


@dataclass(frozen=True, slots=True)
class _Group:
    """The probability of all labels of one material together."""

    name: str
    labels: Mapping[str, float]

    @property
    def belief(self) -> float:
        return sum(self.labels.values())

    @property
    def kind(self) -> WasteKind:
        """The label's kind if one label stands out, else the group's."""
        best = max(self.labels, key=self.labels.__getitem__)
        if self.name not in GROUPS or self.labels[best] >= _LABEL_SHARE * self.belief:
            return KINDS[best]
        return GROUPS[self.name]

    @property
    def is_sure(self) -> bool:
        return self.belief >= _THRESHOLDS.get(self.name, _THRESHOLD)


def judge(beliefs: Probabilities, *, provider: str, model: str) -> Classification:
    """The best group if the model is sure of it, else UNKNOWN; three candidates either way.

    Args:
        beliefs: The model's probabilities.
        provider: The classifier.
        model: The exact model.
    """
    groups = sorted(_grouped(beliefs.labels), key=lambda group: group.belief, reverse=True)[:_CANDIDATES]
    best = groups[0]
    answers = best.is_sure and beliefs.nonwaste < _NONWASTE_LIMIT
    unknown = PERHAPS_BATTERY if any(group.name == "metal" for group in groups) else UNKNOWN
    return Classification(
        kind=best.kind if answers else unknown,
        confidence=best.belief,
        candidates=tuple(Candidate(group.kind, group.belief) for group in groups),
        provider=provider,
        model=model,
    )


def _grouped(labels: Mapping[str, float]) -> list[_Group]:
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for label, belief in labels.items():
        groups[GROUP_OF.get(label, label)][label] = belief
    return [_Group(name, members) for name, members in groups.items()]
