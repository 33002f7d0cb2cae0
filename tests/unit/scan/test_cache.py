"""What was read is kept until its change is heard of, and never longer."""

import pytest

from scan_svc.progress.cache import InvalidatedCache


@pytest.fixture
def cache() -> InvalidatedCache[str]:
    """A cache whose changes are heard of."""
    cache: InvalidatedCache[str] = InvalidatedCache(limit=2)
    cache.open()
    return cache


def read(cache: InvalidatedCache[str], key: str, value: str | None) -> None:
    cache.keep(key, cache.reading(key), value)


def test_what_was_read_is_kept_until_it_changes(cache: InvalidatedCache[str]) -> None:
    read(cache, "a", "old")
    assert cache.get("a") == "old"
    cache.drop(["a", "b"])
    assert cache.get("a") is None


def test_an_answer_that_its_change_overtook_isnt_kept(cache: InvalidatedCache[str]) -> None:
    """Nobody knows whether it was read before the change or after, and no other change may follow."""
    before = cache.reading("a")
    cache.drop(["a"])
    after = cache.reading("a")
    cache.keep("a", after, "new")
    cache.keep("a", before, "old")
    assert cache.get("a") == "new"


def test_readers_at_the_same_time_keep_one_answer(cache: InvalidatedCache[str]) -> None:
    one, other = cache.reading("a"), cache.reading("a")
    cache.keep("a", one, "value")
    cache.keep("a", other, "value")
    assert cache.get("a") == "value"


def test_nothing_is_kept_while_changes_arent_announced(cache: InvalidatedCache[str]) -> None:
    """Not what was read before, nor what is on its way, not even when they are heard of again."""
    read(cache, "a", "old")
    on_its_way = cache.reading("b")
    cache.close()
    read(cache, "c", "old")
    cache.open()
    cache.keep("b", on_its_way, "old")
    assert [cache.get(key) for key in "abc"] == [None, None, None]


def test_at_first_nothing_is_kept() -> None:
    """A worker hears of no changes."""
    cache: InvalidatedCache[str] = InvalidatedCache()
    read(cache, "a", "old")
    assert cache.get("a") is None


def test_the_one_asked_for_longest_ago_goes_first(cache: InvalidatedCache[str]) -> None:
    read(cache, "a", "1")
    read(cache, "b", "2")
    cache.get("a")
    read(cache, "c", "3")
    assert [cache.get(key) for key in "abc"] == ["1", None, "3"]


def test_what_isnt_there_takes_no_room(cache: InvalidatedCache[str]) -> None:
    """Asking for scans that don't exist must not push others out."""
    read(cache, "a", "1")
    for key in "bcd":
        read(cache, key, None)
    assert cache.get("a") == "1"
