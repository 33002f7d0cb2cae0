"""`make eval-rules MATERIAL=folder`: how often the rule book is found by what people call things, and says what is so.

Without a folder it asks the suite's own tables, and every similar name of every item while the index lacks it. What a
folder may hold: `bench.rules.material`. With MISSES=1 it also lists what to mend. The columns:

    right first      the first result goes into a right bin
    among three      one of the first three does
    sure and wrong   the first is shown as the answer and goes into another bin
    nothing          nothing is found
    told             the rule of the first result tells what it must, and names no bin that it must not
    tag set          a reply about a situation sets one of its tags
"""

import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.rules.client import RulesClient
from bench.rules.evaluation import ask, left_out
from bench.rules.material import Question, committed, of_folder
from bench.rules.report import misses, quantiles, table
from eco2.vision.v1.classification_pb2 import Category

_TIMED = 2000


def searches(client: RulesClient, questions: Sequence[Question]) -> Iterator[float]:
    """Seconds of CPU that searches take: a clock would count what others do on this machine."""
    dice = random.Random(13)
    for _ in range(_TIMED):
        question = dice.choice(questions)
        began = time.thread_time()
        client.search(question.text, question.locale, 5)
        yield time.thread_time() - began


def matches(client: RulesClient) -> Iterator[float]:
    """Seconds of CPU that matches take, of any category, situation and region."""
    dice, book = random.Random(13), client.reloader.current.book
    paths, tags = [node.path for node in book.taxonomy], sorted(book.tags)
    regions = ["", *(region.key for region in book.regions)]
    for _ in range(_TIMED):
        place = book.taxonomy.category(dice.choice(paths))
        category = Category(major=place.major, middle=place.middle, minor=place.minor)
        chosen, region = dice.sample(tags, dice.randrange(4)), dice.choice(regions)
        began = time.thread_time()
        client.match(category, chosen, region)
        yield time.thread_time() - began


def main(folder: str) -> None:
    """Prints the figures."""
    client = RulesClient()
    questions = [*committed(), *(of_folder(Path(folder)) if folder else ())]
    outcomes = [*(ask(client, question) for question in questions), *left_out(client.reloader.current.book)]
    for line in table(outcomes):
        print(line)
    print()
    print(quantiles("A search", list(searches(client, questions))))
    print(quantiles("A match", list(matches(client))))
    if os.environ.get("MISSES"):
        print(*misses(outcomes), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
