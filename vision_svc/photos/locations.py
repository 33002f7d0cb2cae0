"""Locations of photos: in our own bucket, or at an outside address."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from mesh.errors import NotFound
from mesh.reasons import Reason
from mesh.s3.photo_keys import is_public

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Stored:
    """A photo in our own bucket.

    Attributes:
        key: Where: an upload, or a clean copy.
        etag: Of the upload that was checked; empty for whatever is there.
    """

    key: str
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """A photo at an outside address."""

    url: str


Location = Stored | Outside


def stored(key: str, etag: str = "") -> Stored:
    """The photo with this object key.

    Raises:
        NotFound: No object of ours has such a key. A dot segment could lead out of the bucket in a store that keeps
            objects as files, and a control character is refused by what asks for it.
    """
    if _CONTROL.search(key) or not all(segment not in {"", ".", ".."} for segment in key.split("/")):
        raise NotFound(Reason.PHOTO_NOT_FOUND, object_key=key)
    return Stored(key, etag)


def locate(image_url: str, cdn_base_url: str) -> Location:
    """Where the photo with this address is: behind our own CDN, that is in our bucket, or outside.

    Args:
        image_url: What the client sent.
        cdn_base_url: Our photos' public address, with or without a slash at the end.

    Raises:
        NotFound: It is behind our CDN, but no clean photo's: an upload is read for its own scan only.
    """
    base, address = urlsplit(cdn_base_url.rstrip("/")), urlsplit(image_url)
    if (address.scheme, address.netloc) == (base.scheme, base.netloc) and address.path.startswith(f"{base.path}/"):
        key = unquote(address.path.removeprefix(f"{base.path}/"))
        if not is_public(key):
            raise NotFound(Reason.PHOTO_NOT_FOUND, image_url=image_url)
        return Stored(key)
    return Outside(image_url)
