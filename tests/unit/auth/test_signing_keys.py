"""When signing keys come and go."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from joserfc.jwk import ECKey

from auth_svc.keys.signing_keys import RotationPolicy, SigningKey, generate, parse_key_set, public_key, signer

START = datetime(2026, 11, 29, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
POLICY = RotationPolicy(key=30 * DAY, lead=15 * MINUTE, tail=16 * MINUTE)


def key(signs_at: datetime, *, sealed: bool = False) -> SigningKey:
    public, private = generate()
    return SigningKey(public, None if sealed else ECKey.import_key(private), signs_at)


def test_the_first_key_signs_at_once() -> None:
    """Nobody has fetched any other."""
    assert POLICY.next_start([], START) == START


def test_in_a_year_each_key_is_published_before_it_signs_and_until_its_tokens_have_expired() -> None:
    """Looked at every ten minutes, as by a replica that does so seldom."""
    keys: list[SigningKey] = []
    published: dict[str, list[datetime]] = {}
    signed: dict[str, list[datetime]] = {}
    now = START
    while now < START + 365 * DAY:
        if (starts := POLICY.next_start(keys, now)) is not None:
            keys.append(key(starts))
        outlived = POLICY.outlived(keys, now)
        keys = [one for one in keys if one.public.kid not in outlived]
        current = signer(keys, now)
        assert current is not None
        signed.setdefault(current.public.kid, []).append(now)
        for one in keys:
            published.setdefault(one.public.kid, []).append(now)
        assert len(keys) <= 2
        now += 10 * MINUTE
    assert len(signed) == 13
    for before, after in pairwise(signed):
        assert published[after][0] <= signed[after][0] - POLICY.lead + 10 * MINUTE
        assert published[before][-1] >= signed[before][-1] + 15 * MINUTE


def test_a_key_that_was_forgotten_too_long_is_followed_after_a_lead() -> None:
    """A service that was away for a year: everybody first fetches the new key."""
    assert POLICY.next_start([key(START)], START + 365 * DAY) == START + 365 * DAY + POLICY.lead


def test_a_key_whose_seal_cant_be_opened_signs_nothing_and_is_still_published() -> None:
    """Its tokens are good; a key that can sign takes its place at once."""
    lost = key(START, sealed=True)
    assert signer([lost], START + DAY) is None
    assert POLICY.next_start([lost], START + DAY) == START + DAY
    replaced = [lost, key(START + DAY)]
    assert POLICY.outlived(replaced, START + DAY + 10 * MINUTE) == []
    assert POLICY.outlived(replaced, START + DAY + HOUR) == [lost.public.kid]


def test_a_public_key_holds_nothing_private_and_is_named_by_its_thumbprint() -> None:
    """It is what everybody may read."""
    public, private = generate()
    whole = ECKey.import_key(private)
    assert public_key(whole) == public
    assert public.kid == whole.thumbprint()
    assert str(whole.as_dict(private=True)["d"]) not in repr(public)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [{"kty": "EC"}]}', '{"keys": 1}'])
def test_what_is_no_key_set_is_refused(text: str) -> None:
    """At the start, not at the first call."""
    with pytest.raises(ValueError, match=r".*"):
        parse_key_set(text)
