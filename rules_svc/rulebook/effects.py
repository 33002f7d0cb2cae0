"""What a situation or a region changes about a rule: another step, another bag, or another rule."""

from dataclasses import dataclass

from mesh.locale import Text
from rules_svc.rulebook.taxonomy import Path, within
from rules_svc.search.states import Words


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        text: What to do.
        about: What it deals with, such as "rinse": a situation's step takes the place of the rule's own step about the
            same. Empty if nothing can take its place.
    """

    text: Text
    about: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another rule to follow.

    Attributes:
        to: The category whose rule it is.
        because: Becomes the first step.
    """

    to: Path
    because: Text


@dataclass(frozen=True, slots=True)
class Effect:
    """What a tag changes about the rules of some categories.

    Attributes:
        scopes: The categories; all below them are meant too, unless `exact`.
        step: To be done as well, in place of the rule's own step about the same.
        last: Whether a step without such a place comes last; else it comes first.
        container: Where it goes instead.
        hazard: A danger the rule doesn't mention.
        redirect: The rule to follow instead.
        exact: Whether only the scopes themselves are meant.
    """

    scopes: tuple[Path, ...]
    step: Step | None = None
    last: bool = False
    container: Text | None = None
    hazard: Text | None = None
    redirect: Redirect | None = None
    exact: bool = False

    def reaches(self, path: Path) -> bool:
        """Whether it applies to this category. A redirect doesn't apply to its own target."""
        if self.redirect is not None and within(path, self.redirect.to):
            return False
        return path in self.scopes if self.exact else any(path[: len(scope)] == scope for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Tag:
    """A situation from the closed list; one without a key stands for a region.

    Attributes:
        key: Its Korean key.
        name: What people read.
        effects: What it changes.
        said: What people say of a thing in this situation.
    """

    key: str
    name: Text
    effects: tuple[Effect, ...]
    said: tuple[Words, ...] = ()

    def redirect(self, path: Path) -> Redirect | None:
        """Where it leads from a category, if anywhere."""
        return next((effect.redirect for effect in self.effects if effect.redirect and effect.reaches(path)), None)
