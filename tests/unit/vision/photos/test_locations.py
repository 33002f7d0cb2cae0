"""Which photos are ours."""

from urllib.parse import quote

import pytest

from mesh.errors import NotFound
from mesh.reasons import Reason
from vision_svc.photos.locations import Outside, Stored, locate, stored

_BASE = "https://cdn.example.com/photos"
_NAME = "0197b0f0-0000-7000-8000-000000000001.jpg"
_CLEAN, _UPLOAD = f"photos/{_NAME}", f"uploads/{_NAME}"


@pytest.mark.parametrize("base", [_BASE, f"{_BASE}/"])
def test_addresses_behind_our_cdn_are_object_keys(base: str) -> None:
    """They are read from storage, not over the internet."""
    assert locate(f"{_BASE}/{_CLEAN}", base) == Stored(_CLEAN)
    assert locate(f"{_BASE}/{quote(_CLEAN, safe='')}?width=200", base) == Stored(_CLEAN)


@pytest.mark.parametrize("key", [_UPLOAD, quote(_UPLOAD, safe=""), "photos/a.jpg", f"{_CLEAN}/a", "a b.jpg", ""])
def test_nothing_but_clean_photos_is_behind_our_cdn(key: str) -> None:
    """Somebody's upload above all: a stranger's scan would tell what is in it."""
    with pytest.raises(NotFound) as caught:
        locate(f"{_BASE}/{key}", _BASE)
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example.com/photos-of-others/1.jpg",
        "https://cdn.example.com.evil.example/photos/1.jpg",
        "https://cdn.example.com:8443/photos/1.jpg",
        "http://cdn.example.com/photos/1.jpg",
        "https://user@cdn.example.com/photos/1.jpg",
    ],
)
def test_look_alikes_are_outside(url: str) -> None:
    """And have to pass the rules for outside addresses."""
    assert locate(url, _BASE) == Outside(url)


@pytest.mark.parametrize("key", ["../secret", "a/../../b", "a/./b", "/a", "a//b", "a/", "a\x00", "a\x1f.jpg", "\x7f"])
def test_keys_that_could_leave_the_bucket_do_not_exist(key: str) -> None:
    """A store that keeps objects as files may follow them; nor has any a control character in it."""
    with pytest.raises(NotFound) as caught:
        stored(key)
    assert caught.value.reason is Reason.PHOTO_NOT_FOUND
    with pytest.raises(NotFound):
        locate(f"{_BASE}/{quote(key)}".replace("..", "%2e%2e"), _BASE)
