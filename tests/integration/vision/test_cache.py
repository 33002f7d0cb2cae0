"""What was found out once is known in every process, and Redis may be away."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from mesh.models.usage import Terms
from mesh.redis import GuardedRedis, open_redis
from vision_svc.classifiers.cache import Cache, CachedClassifier, open_cache
from vision_svc.classifiers.classification import Candidate, Classification
from vision_svc.classifiers.labels import KINDS
from vision_svc.photos.photos import Identity, Photo

_SEEN = Classification(
    KINDS["metal"], 0.75, (Candidate(KINDS["food"], 0.25),), "gpt", "gpt-1", tags=("깨짐",), mixed=True
)

pytestmark = pytest.mark.redis_shapes
_PHOTO = Photo(b"jpeg", Identity("ab" * 32, 300, 200))


class _Eye:
    """Counts how often it looks."""

    name = "eye"

    def __init__(self, version: str) -> None:
        self.version = version
        self.looks = 0

    async def classify(self, photo: Photo, terms: Terms) -> Classification:
        self.looks += 1
        return _SEEN


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[GuardedRedis]:
    """The suite's."""
    async with open_redis(redis_url) as opened:
        yield opened


def _process(redis: GuardedRedis | None, eye: _Eye) -> CachedClassifier:
    return CachedClassifier(eye, Cache(redis, "test:", Classification))


async def _looked(cached: CachedClassifier) -> Classification:
    return await cached.classify(_PHOTO, Terms("", 0.0))


async def test_another_process_knows_it(redis: GuardedRedis) -> None:
    """And all of it, whatever language it will be told in; at the latest when the one that looked has ended."""
    eye = _Eye(uuid4().hex)
    async with open_cache(redis, "test:", Classification) as opinions:
        await _looked(CachedClassifier(eye, opinions))
    known = await _process(redis, eye).known(_PHOTO.identity)
    assert eye.looks == 1
    assert known is not None
    assert (known.kind, known.confidence, known.mixed) == (_SEEN.kind, 0.75, True)
    assert (tuple(known.tags), tuple(known.candidates)) == (_SEEN.tags, _SEEN.candidates)


async def test_another_model_or_prompt_looks_again(redis: GuardedRedis) -> None:
    """An opinion is one model's, with one prompt."""
    eyes = _Eye(uuid4().hex), _Eye(uuid4().hex)
    for eye in eyes:
        await _looked(_process(redis, eye))
    assert [eye.looks for eye in eyes] == [1, 1]


async def test_it_is_kept_for_a_week(redis: GuardedRedis) -> None:
    """And no longer: models get better."""
    eye = _Eye(uuid4().hex)
    async with open_cache(redis, "test:", Classification) as opinions:
        await _looked(CachedClassifier(eye, opinions))
    left = await redis.execute("TTL", f"test:{_PHOTO.digest}:{eye.version}")
    assert 7 * 24 * 3600 - 60 < left <= 7 * 24 * 3600


async def test_without_redis_this_process_remembers() -> None:
    """Then a stage tried again in the same process is still paid once."""
    eye = _Eye("1")
    cached = _process(None, eye)
    assert await _looked(cached) == await _looked(cached)
    assert eye.looks == 1


async def test_redis_away_is_slower_and_never_an_error(unused_tcp_port: int) -> None:
    """Each process then looks for itself."""
    eye = _Eye("1")
    async with open_redis(f"redis://127.0.0.1:{unused_tcp_port}/0") as away:
        first, second = _process(away, eye), _process(away, eye)
        for cached in (first, first, second):
            assert (await _looked(cached)).kind == _SEEN.kind
    assert eye.looks == 2


async def test_what_another_release_wrote_is_not_believed(redis: GuardedRedis) -> None:
    """Its fields may mean something else."""
    eye = _Eye(uuid4().hex)
    await redis.execute("SET", f"test:{_PHOTO.digest}:{eye.version}", b'{"kind": 3}', "EX", 60)
    assert (await _looked(_process(redis, eye))).kind == _SEEN.kind
    assert eye.looks == 1
