"""Whether object storage keeps to what the services rely on: `python -m mesh.bucket check`, on their own `ECO2_S3_*`.

Servers that speak S3 differ: some take a content whose checksum is another's, overwrite although the condition says not
to, or show everybody what is private (ADRs 0051, 0056). This puts a few objects of five bytes into the bucket, and
removes them.
"""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import uuid4

import httpx2

from mesh.errors import Unavailable
from mesh.s3.bucket import Bucket, ObjectChanged, ObjectMissing, open_bucket
from mesh.s3.credentials import credentials_of
from mesh.s3.photo_keys import ORIGINALS, PUBLIC
from mesh.s3.prepare import expires
from mesh.s3.presigned import PresignedUploads
from mesh.s3.settings import StorageSettings
from mesh.settings import load

_SECONDS = 300  # an address works
_AT_ONCE = 3  # SeaweedFS lets each further replacement wait a second
_TIMEOUT = 30.0
_JPEG = "image/jpeg"
_CACHED = "public, max-age=60"
_PHOTO, _OTHER = b"12345", b"54321"
_QUERIES = ("", "?versionId=null", "?partNumber=1", "?tagging", "?acl")


def _checksum(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


_SIGNED = {
    "Content-Type": _JPEG,
    "Content-Length": str(len(_PHOTO)),
    "If-None-Match": "*",
    "x-amz-checksum-sha256": _checksum(_PHOTO),
}
# What is sent otherwise than it was signed, and the content. A header without a value isn't sent.
_FORGERIES: tuple[tuple[str, Mapping[str, str], bytes], ...] = (
    ("with another type", {"Content-Type": "image/png"}, _PHOTO),
    ("with another length", {"Content-Length": "6"}, b"123456"),
    ("with another checksum", {"x-amz-checksum-sha256": _checksum(_OTHER)}, _OTHER),
    ("with another content", {}, _OTHER),
    ("without its condition", {"If-None-Match": ""}, _PHOTO),
    ("with metadata", {"x-amz-meta-eco2-clean": "forged"}, _PHOTO),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the services rely on.

    Attributes:
        rule: What storage has to do.
        kept: Whether it did.
    """

    rule: str
    kept: bool


class _Examination:
    """The questions to one storage, in the order of its methods."""

    def __init__(self, settings: StorageSettings, client: httpx2.AsyncClient) -> None:
        self._settings = settings
        self._client = client
        self._folder = f"{ORIGINALS}check-{uuid4()}"
        self._photo = f"{self._folder}/photo"
        self._clean = f"{PUBLIC}check-{uuid4()}"
        self._keys = [self._clean]
        self._credentials = credentials_of(settings)
        self.bucket: Bucket = open_bucket(settings, self._credentials)
        self.findings: list[Finding] = []

    async def uploads(self) -> None:
        """Signed addresses: what is signed can be put, once and in time, and nothing else."""
        first, second = await self._put("photo"), await self._put("photo")
        self._note("a signed upload is taken", first.is_success)
        self._note("a second upload overwrites nothing", second.status_code == HTTPStatus.PRECONDITION_FAILED)
        for forged, headers, content in _FORGERIES:
            await self._refuses(f"an upload {forged} is refused", headers, content)
        await self._refuses("an upload by an expired address is refused", {}, _PHOTO, age=2 * _SECONDS)
        answers = await asyncio.gather(*(self._put("raced") for _ in range(_AT_ONCE)))
        self._note("of several uploads at once one is taken", sum(answer.is_success for answer in answers) == 1)

    async def replacements(self) -> None:
        """What was seen is replaced, and nothing else."""
        seen = await self.bucket.look(self._photo)
        await self.bucket.put(self._photo, b"clean", {"Content-Type": _JPEG, "eco2-check": "kept"}, seen.etag)
        found = await self.bucket.look(self._photo)
        self._note(
            "type and metadata are kept with an object",
            (found.content_type, found.metadata) == (_JPEG, {"eco2-check": "kept"}),
        )
        self._note("what has changed isn't replaced", not await self._replaced(seen.etag, b"other"))
        reads = await self._reads(found.etag) and not await self._reads(seen.etag)
        self._note("what has changed isn't read", reads)
        won = await asyncio.gather(*(self._replaced(found.etag, b"%d" % number) for number in range(_AT_ONCE)))
        self._note("of several replacements at once one counts", sum(won) == 1)
        last = await self.bucket.look(self._photo)
        await self.bucket.remove(self._photo)
        self._note("what was removed isn't replaced", not await self._replaced(last.etag, b"again"))

    async def strangers(self) -> None:
        """Whoever signs nothing reads a clean photo whose address they know, and does nothing else."""
        place = f"{self._settings.s3_endpoint.rstrip('/')}/{self._settings.s3_bucket}"
        cdn = self._settings.cdn_base_url.rstrip("/")
        await self._put("private")
        await self.bucket.put(self._clean, _PHOTO, {"Content-Type": _JPEG, "Cache-Control": _CACHED})
        seen = await self._client.get(f"{cdn}/{self._clean}")
        self._note("anybody reads a clean photo at ECO2_CDN_BASE_URL", seen.content == _PHOTO)
        self._note("a clean photo says how long it may be cached", seen.headers.get("cache-control") == _CACHED)
        asked = [f"{base}/{self._key('private')}{query}" for base in (place, cdn) for query in _QUERIES]
        answers = [await self._client.get(address) for address in asked]
        self._note("nobody reads an upload without a signature", all(answer.is_client_error for answer in answers))
        listed = await self._client.get(f"{place}?list-type=2")
        self._note("nobody lists the bucket without a signature", listed.is_client_error)
        await self._strangers_write(place)

    async def _strangers_write(self, place: str) -> None:
        for name, key in (("an upload", f"{self._folder}/stranger"), ("a clean photo", f"{PUBLIC}check-{uuid4()}")):
            self._keys.append(key)
            put = await self._client.put(f"{place}/{key}", content=_PHOTO)
            self._note(f"nobody puts {name} without a signature", put.is_client_error and not await self._has(key))
        removed = await self._client.delete(f"{place}/{self._clean}")
        self._note("nobody removes without a signature", removed.is_client_error and await self._has(self._clean))

    async def removals(self) -> None:
        """What is forgotten is found, and goes."""
        listed = [found.key for found in await self.bucket.page(f"{self._folder}/")]
        self._note("what was put is listed", self._key("private") in listed)
        await self.bucket.remove(*listed, f"{self._folder}/none")
        left = await self.bucket.page(f"{self._folder}/")
        self._note("many are removed by one request, those that are gone included", bool(listed) and not left)
        expired = await asyncio.to_thread(expires, self._settings)
        self._note("uploads and clean photos go by themselves in the end", expired)

    async def is_there(self, name: str) -> bool:
        """Whether an object of this name was stored."""
        return await self._has(self._key(name))

    async def clear(self) -> None:
        """Removes whatever was put."""
        for key in self._keys:  # one by one: storage may not know how to remove several
            with contextlib.suppress(Unavailable):
                await self.bucket.remove(key)

    async def _has(self, key: str) -> bool:
        try:
            await self.bucket.look(key)
        except ObjectMissing:
            return False
        return True

    async def _reads(self, etag: str) -> bool:
        try:
            async with self.bucket.reading(self._photo, etag):
                return True
        except ObjectChanged:
            return False

    def _note(self, rule: str, kept: bool) -> None:
        self.findings.append(Finding(rule, kept))

    async def _refuses(self, rule: str, headers: Mapping[str, str], content: bytes, age: int = 0) -> None:
        name = str(uuid4())
        answer = await self._put(name, headers, content, age)
        self._note(rule, answer.is_client_error and not await self.is_there(name))

    async def _put(
        self, name: str, headers: Mapping[str, str] | None = None, content: bytes = _PHOTO, age: int = 0
    ) -> httpx2.Response:
        """Uploads as a client does.

        Args:
            name: Of the object.
            headers: Sent otherwise than signed.
            content: What is sent.
            age: Seconds since the address was signed.
        """
        await self._credentials.fresh()
        signed_at = datetime.now(UTC) - timedelta(seconds=age)
        signer = PresignedUploads(self._settings, lambda: signed_at, self._credentials)
        address = signer.address(self._key(name), _SIGNED, _SECONDS)
        sent = {header: value for header, value in {**_SIGNED, **(headers or {})}.items() if value}
        return await self._client.put(address, headers=sent, content=content)

    async def _replaced(self, etag: str, content: bytes) -> bool:
        try:
            await self.bucket.put(self._photo, content, {"Content-Type": _JPEG}, etag)
        except ObjectChanged:
            return False
        return True

    def _key(self, name: str) -> str:
        key = f"{self._folder}/{name}"
        if key not in self._keys:
            self._keys.append(key)
        return key


async def examine(settings: StorageSettings) -> list[Finding]:
    """What this storage keeps to and what not.

    Raises:
        ObjectMissing: It loses what was put.
        Unavailable: It doesn't answer as storage does.
        httpx2.HTTPError: It can't be reached.
    """
    async with httpx2.AsyncClient(timeout=_TIMEOUT) as client:
        examination = _Examination(settings, client)
        await examination.bucket.probe()
        try:
            await examination.uploads()
            if await examination.is_there("photo"):
                await examination.replacements()
                await examination.strangers()
                await examination.removals()
        finally:
            await examination.clear()
    return examination.findings


def main() -> None:
    """`python -m mesh.bucket check`."""
    try:
        findings = asyncio.run(examine(load(StorageSettings)))
    except ObjectMissing:
        raise SystemExit("S3: an object that was put isn't there") from None
    except (Unavailable, httpx2.HTTPError) as error:
        cause, _, _ = str(error.__cause__ or error).partition("\n")  # obstore's own dump follows
        raise SystemExit(f"S3: {cause}") from None
    for finding in findings:
        print("kept  " if finding.kept else "BROKEN", finding.rule)
    if broken := sum(not finding.kept for finding in findings):
        raise SystemExit(f"{broken} of {len(findings)} aren't kept: photos aren't safe in this storage")
