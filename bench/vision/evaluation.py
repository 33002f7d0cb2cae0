"""`make eval PHOTOS=dir`: scores the classifiers in the chain on labelled photos.

The folder holds `labels.csv` with a line for each photo: `file`, a path from there, and `label`, one of `PLACES`. The
chain is Vision's own: offline without a key; with OPENAI_API_KEY and ECO2_RULES_TARGET the hosted models of
ECO2_VISION_CHAIN, which cost what the last line says.
"""

import asyncio
import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from mesh.errors import EcoError
from mesh.models.usage import Terms, Usage
from mesh.observability.instruments import Instruments
from vision_svc.app import open_classifiers
from vision_svc.classifiers.classification import UNKNOWN, Classification
from vision_svc.classifiers.fallback_chain import FallbackChain
from vision_svc.photos.decoder_pool import DecoderPool, open_decoder_pool
from vision_svc.photos.memfile import memfile
from vision_svc.settings import VisionSettings

PLACES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "glass": frozenset({"유리병"}),
        "metal": frozenset({"금속류"}),
        "paper": frozenset({"종이"}),
        "cardboard": frozenset({"종이"}),
        "paper_pack": frozenset({"종이팩"}),
        "pet_bottle": frozenset({"플라스틱류", "무색페트병"}),
        "plastic_container": frozenset({"플라스틱류"}),
        "vinyl": frozenset({"비닐류"}),
        "styrofoam": frozenset({"발포합성수지"}),
        "clothes": frozenset({"의류및원단"}),
        "battery": frozenset({"전지"}),
        "lamp": frozenset({"조명제품"}),
        "ewaste": frozenset({"전기전자제품"}),
        "food": frozenset({"음식물류폐기물"}),
        "trash": frozenset({"일반종량제폐기물"}),
        "bulky": frozenset({"대형폐기물"}),
    }
)
"""Where a label belongs: middles of the taxonomy, or majors without middles."""

_THRESHOLDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """One photo, as it was labelled and as it was seen.

    Attributes:
        label: What a person said.
        found: What the chain said; None if it failed.
        seconds: How long the look took, without decoding.
        reason: Why it failed.
        usage: What it cost.
    """

    label: str
    found: Classification | None
    seconds: float
    reason: str = ""
    usage: Usage | None = None

    @property
    def answer(self) -> str:
        """Where the answer puts it; 미분류 when there was none."""
        return _place(self.found) if self.found else "미분류"

    @property
    def forced(self) -> str:
        """The best candidate, sure of it or not."""
        if self.found is None or not self.found.candidates:
            return self.answer
        category = self.found.candidates[0].kind.category
        return category.middle or category.major

    @property
    def confidence(self) -> float:
        """Belief in the best candidate."""
        return self.found.confidence if self.found else 0.0


def _place(found: Classification) -> str:
    category = found.kind.category
    return category.middle or category.major


async def look(folder: Path, chain: FallbackChain, decoders: DecoderPool) -> Sequence[Look]:
    """Looks at every labelled photo of a folder, one after the other."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [await _one(folder / row["file"], row["label"], chain, decoders) for row in rows]


async def _one(path: Path, label: str, chain: FallbackChain, decoders: DecoderPool) -> Look:
    with memfile() as file:
        file.write(await asyncio.to_thread(path.read_bytes))
        photo = await decoders.clean(file)
    began = time.perf_counter()
    terms = Terms("", time.monotonic() + _SECONDS)
    try:
        found = await chain.classify(photo, terms)
    except EcoError as error:
        return Look(label, None, time.perf_counter() - began, error.reason, terms.meter.total)
    return Look(label, found, time.perf_counter() - began, usage=terms.meter.total)


def report(looks: Sequence[Look]) -> Iterator[str]:
    """The figures as Markdown."""
    answered = [one for one in looks if one.answer != UNKNOWN.category.major]
    right = [one for one in answered if one.answer in PLACES[one.label]]
    among = [one for one in looks if one.found and any(_among(one.found, PLACES[one.label]))]
    yield f"{len(looks)} photos: {len(answered)} answered, {len(right)} of them right; right among three: {len(among)}."
    yield ""
    yield "| label | photos | answered | right | right if forced |"
    yield "|---|---|---|---|---|"
    for label in sorted({one.label for one in looks}):
        of = [one for one in looks if one.label == label]
        yield (
            f"| {label} | {len(of)} | {sum(one in answered for one in of)} | {sum(one in right for one in of)}"
            f" | {sum(one.forced in PLACES[label] for one in of)} |"
        )
    yield ""
    yield "| answer from confidence | answered | then right |"
    yield "|---|---|---|"
    for threshold in _THRESHOLDS:
        sure = [one for one in looks if one.confidence >= threshold]
        good = sum(one.forced in PLACES[one.label] for one in sure)
        yield (
            f"| {threshold:.1f} | {len(sure) / len(looks):.0%} | {good / len(sure):.0%} |"
            if sure
            else f"| {threshold:.1f} | 0 % | |"
        )
    yield ""
    wrong = Counter((one.label, one.forced) for one in looks if one.forced not in PLACES[one.label])
    yield "Taken for another: " + (
        ", ".join(f"{label} → {place} {count}" for (label, place), count in wrong.most_common()) or "none"
    )
    yield from _costs(looks)


def _among(found: Classification, places: frozenset[str]) -> Iterator[bool]:
    for candidate in found.candidates:
        category = candidate.kind.category
        yield (category.middle or category.major) in places


def _costs(looks: Sequence[Look]) -> Iterator[str]:
    failed = Counter(one.reason for one in looks if one.reason)
    if failed:
        yield "No answer: " + ", ".join(f"{reason} {count}" for reason, count in failed.most_common())
    times = sorted(one.seconds for one in looks)
    p50, p95 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95))
    yield f"A look takes {p50:.0f} ms (p50), {p95:.0f} ms (p95)."
    models = Counter(one.found.model for one in looks if one.found)
    cost = sum(one.usage.cost_micro_usd for one in looks if one.usage) / 1e6
    yield f"Models: {', '.join(models)}. Cost: {cost:.4f} US dollars."


async def main(folder: Path) -> None:
    """Prints the figures for a folder of photos."""
    nowhere = SecretStr("unused")
    settings = VisionSettings(
        s3_endpoint="http://unused", s3_bucket="unused", s3_access_key=nowhere, s3_secret_key=nowhere,
        cdn_base_url="http://unused",
    )  # fmt: skip
    with ThreadPoolExecutor(1) as cpu:
        async with (
            open_classifiers(settings, cpu, None, Instruments.off()) as (chain, _),
            open_decoder_pool(1, settings.vision_decode_seconds) as decoders,
        ):
            for line in report(await look(folder, chain, decoders)):
                print(line)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "labels.csv").is_file():
        sys.exit("Which photos? make eval PHOTOS=folder with labels.csv (columns file, label)")
    asyncio.run(main(Path(sys.argv[1])))
