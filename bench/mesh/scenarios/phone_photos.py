"""G: complete scans of photos as phones take them, 12 megapixels: what a scan costs when its photo is a real one.

The other scenarios scan pictures of 256 x 256, so that the generator keeps up; there cleaning a photo costs next to
nothing. Here it is most of the work.
"""

from collections.abc import Mapping, Sequence

from bench.mesh.complete import complete
from bench.mesh.model import Pace
from bench.mesh.photos import Draw, phone_heics, phone_photos, stored
from bench.mesh.report import Figures, Outcome, Row
from bench.mesh.scale import Scale
from bench.mesh.stack import Stack
from bench.mesh.users import phones

NAME = "G phone photos"

_USERS = 8
_UNDER_WAY = 16
_KINDS: Mapping[str, Draw] = {"jpeg": phone_photos, "heic": phone_heics}


async def measure(stack: Stack, scale: Scale) -> Outcome:
    """JPEG, then HEIC."""
    assert stack.model
    stack.model.set(Pace(0, 0))
    figures: dict[str, Figures] = {}
    async with phones(stack, _USERS) as users:
        await complete(stack, users, await stored(stack, _UNDER_WAY, seed=31), _UNDER_WAY)  # connections are made
        for form, draw in _KINDS.items():
            count = scale.phone_photos if form == "jpeg" else scale.phone_photos // 4  # those take long to encode
            addresses = await stored(stack, count, seed=32, draw=draw, form=form)
            figures[form] = await complete(stack, users, addresses, _UNDER_WAY)
    return Outcome([_row(form, found, stack.services) for form, found in figures.items()], figures)


def _row(form: str, found: Figures, services: Sequence[str]) -> Row:
    mesh = sum(found[f"{name}_ms"] for name in services)
    parts = f"services {mesh:.0f}, SeaweedFS {found['seaweedfs_ms']:.1f}"
    value = f"{found['cpu_ms']:.0f} ms, {found['scans_per_second']:.1f} scans/s; {parts}"
    return Row(NAME, f"{form.upper()} of 12 megapixels: CPU a scan", value)
