"""How much work matching is."""

import itertools
import random
from functools import partial

from mesh.locale import Locale
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.rulebook.taxonomy import Path
from tests.support.call_count import calls_made


def test_matching_is_little_work(book: Rulebook) -> None:
    """Any category, situation and region, region found and rules told: a promise of one millisecond.

    Counted, since a clock tells as much of the machine; today it takes 472 calls at most.
    """
    dice = random.Random(6)
    paths, tags = [node.path for node in book.taxonomy], sorted(book.tags)
    regions = ["", "서울 마포", "중구", "50110", "경기도 성남시 분당구 정자동", "아틀란티스"]

    def match(path: Path, chosen: list[str], said: str) -> None:
        for rule in book.match_in(path, chosen, book.regions.find(said)).rules:
            rule.localized(Locale.KO)

    calls = []
    for _, path in zip(range(2000), itertools.cycle(paths), strict=False):
        chosen, said = dice.sample(tags, dice.randrange(6)), dice.choice(regions)
        calls.append(calls_made(partial(match, path, chosen, said)))
    assert max(calls) < 1_000
