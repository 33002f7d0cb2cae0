"""`make bench-photos`: what cleaning and looking at photos costs, and what remembering them saves.

The photos are made here: scikit-learn's flower, with noise as a sensor has it, in phones' sizes and formats.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import psutil
from PIL import Image
from sklearn.datasets import load_sample_image

from bench.machine import cpu_seconds
from mesh.models.usage import Terms
from vision_svc.classifiers.cache import Cache, CachedClassifier
from vision_svc.classifiers.classification import UNKNOWN, Classification
from vision_svc.classifiers.offline import OfflineClassifier
from vision_svc.classifiers.pixels import pixels
from vision_svc.model import MODEL
from vision_svc.photos.decoder_pool import DecoderPool, open_decoder_pool
from vision_svc.photos.memfile import memfile
from vision_svc.photos.photos import Identity, Photo

_SIZES = {"small, 0.3 megapixels": (640, 480), "12 megapixels": (4032, 3024), "48 megapixels": (8064, 6048)}
_FORMATS = {
    "JPEG": ("JPEG", {"quality": 85}),
    "HEIC": ("HEIC", {"quality": 60}),
    "PNG": ("PNG", {"compress_level": 1}),
    "WebP": ("WEBP", {"quality": 85}),
}
_LARGE = frozenset({"JPEG"})  # a PNG of 48 megapixels is over 20 MiB; encoding such a HEIC takes a minute
_PHOTOS = 3
_SCANS, _SEED = 30_000, 7


def _picture(size: tuple[int, int], form: str) -> bytes:
    image = Image.fromarray(load_sample_image("flower.jpg")).resize(size)
    noise = np.random.default_rng(0).integers(-6, 7, (size[1], size[0], 1), np.int16)
    image = Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
    file = BytesIO()
    name, options = _FORMATS[form]
    if name == "HEIC":
        pillow_heif.from_pillow(image).save(file, **options)
    else:
        image.save(file, name, **options)
    return file.getvalue()


async def _clean(decoders: DecoderPool, content: bytes) -> Photo:
    with memfile() as file:
        file.write(content)
        return await decoders.clean(file)


def _peak_mebibytes(pid: int) -> int:
    """The most memory a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) >> 10


async def cleaning() -> None:
    """CPU time and memory of one decoder, by size and format."""
    print("| photo | file | CPU ms a photo, one core | photos/s a core | clean copy | peak RSS of the decoder |")
    print("|---|---|---|---|---|---|")
    for form in _FORMATS:
        for name, size in _SIZES.items():
            if form not in _LARGE and size[0] > 4032:
                continue
            content = _picture(size, form)
            async with open_decoder_pool(1, 30) as decoders:
                await _clean(decoders, _picture((64, 64), form))
                (child,) = psutil.Process().children()
                before = cpu_seconds(child)
                for _ in range(_PHOTOS):
                    photo = await _clean(decoders, content)
                spent = (cpu_seconds(child) - before) / _PHOTOS
                peak = _peak_mebibytes(child.pid)
            print(
                f"| {form}, {name} | {len(content) / 1e6:.1f} MB | {spent * 1000:.0f} | {1 / spent:.1f}"
                f" | {len(photo.jpeg) / 1000:.0f} kB | {peak} MiB |"
            )


async def looking() -> None:
    """CPU time of the offline model, and what the processes hold."""
    async with open_decoder_pool(1, 30) as decoders:
        photo = await _clean(decoders, _picture((4032, 3024), "JPEG"))
        (child,) = psutil.Process().children()
        print(f"\nDecoder at rest: {child.memory_full_info().pss / 2**20:.0f} MiB PSS.")
    model = OfflineClassifier.load(MODEL)
    seen = pixels(photo)
    looks: dict[str, Callable[[], object]] = {
        "unpacking the copy": lambda: pixels(photo),
        "the model": lambda: model.classify(seen),
    }
    for what, look in looks.items():
        began = time.thread_time()
        for _ in range(20):
            look()
        print(f"Offline, {what}: {(time.thread_time() - began) * 50:.1f} ms CPU a photo.")


class _Paid:
    """A hosted model, as far as it is counted."""

    name = version = "model"

    def __init__(self) -> None:
        self.calls = 0

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        self.calls += 1
        return Classification(UNKNOWN, 0.0, (), "model", "model")


def day(seed: int = _SEED) -> Sequence[tuple[int, str]]:
    """A day's looks in order: a photo's number, and whether the file, or only the photo, is the same as before.

    Assumed, not observed: 4 % of the looks are a stage tried again, 5 % the same file uploaded again by an impatient
    user, 1 % the same photo in another file (saved again by a messenger without loss of pixels), and the rest are new.
    """
    random_ = random.Random(seed)
    looks: list[tuple[int, str]] = []
    for number in range(_SCANS):
        kind = random_.choices(("new", "retry", "upload", "copy"), (90, 4, 5, 1))[0]
        if kind == "new" or not looks:
            looks.append((number, "new"))
        else:  # people repeat at once, or within the hour
            looks.append((looks[-min(len(looks), 1 + int(random_.expovariate(1 / 300)))][0], kind))
    return looks


async def remembering() -> None:
    """What a day with repeated photos costs with the cache, and after a loss of it at noon."""
    looks = day()
    photos = len({number for number, _ in looks})
    print(f"\n| a day of {len(looks)} looks at {photos} photos | model calls | files decoded |")
    print("|---|---|---|")
    print(f"| without memory | {len(looks)} | {len(looks)} |")
    for name, loss in (("with memory", None), ("with memory, lost at noon", len(looks) // 2)):
        figures = [f"{count} ({1 - count / len(looks):.1%} saved)" for count in await _lived(looks, loss)]
        print(f"| {name} | {' | '.join(figures)} |")


async def _lived(looks: Sequence[tuple[int, str]], loss: int | None) -> tuple[int, int]:
    paid, decoded = _Paid(), 0
    files: Cache[Identity] = Cache(None, "", Identity)
    cached = CachedClassifier(paid, Cache(None, "", Classification))
    for position, (number, kind) in enumerate(looks):
        if position == loss:
            files, cached = Cache(None, "", Identity), CachedClassifier(paid, Cache(None, "", Classification))
        identity = Identity(f"{number:064x}", 1, 1)
        file = f"{number}" if kind != "copy" else f"{number} {position}"
        clean = kind == "retry" or (kind == "upload" and await files.get(file) is not None)
        if clean and await cached.known(identity):
            continue
        decoded += kind != "retry"  # a retried stage finds the clean copy
        await cached.classify(Photo(b"", identity), Terms("", 0))
        files.put(file, identity)
    return paid.calls, decoded


async def main() -> None:
    """Prints every table."""
    await cleaning()
    await looking()
    await remembering()


if __name__ == "__main__":
    asyncio.run(main())
