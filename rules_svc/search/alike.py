"""Names that end alike and go into the same bin, so that others that end so may be expected to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rules_svc.rulebook.taxonomy import Path
from rules_svc.search.names import Name

_RECYCLABLES = "재활용폐기물"


def alike(names: Sequence[Name], exact: Mapping[str, Sequence[Name]]) -> Mapping[str, int]:
    """Of each name how many others end with it; none of those that go into different bins."""
    longer, bins = defaultdict[str, set[str]](set), defaultdict[str, set[Path]](set)
    for name in names:
        for end in (end for end in _ends(name) if end in exact):
            longer[end].add(name.squeezed)
            bins[end].update(bin_of(one.path) for one in (name, *exact[end]))
    return {end: len(those) for end, those in longer.items() if len(bins[end]) == 1}


def _ends(name: Name) -> Iterator[str]:
    """What a name ends with: letters of Korean, words of English."""
    if name.squeezed.isascii():
        yield from ("".join(name.words[-length:]) for length in range(1, len(name.words)))
    else:
        yield from (name.squeezed[-length:] for length in range(2, len(name.squeezed)))


def bin_of(path: Path) -> Path:
    """What decides the bin: the material of recyclables, the major of others."""
    return path[:2] if path[0] == _RECYCLABLES else path[:1]
