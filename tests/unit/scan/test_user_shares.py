"""How much of a worker's room one user gets."""

from scan_svc.jobs.user_shares import UserShares, reserve_of


def shares(most: int, at_work: str) -> UserShares:
    """With a job at work for each letter, by user."""
    shares = UserShares(most)
    for user_id in at_work:
        shares.begin(user_id)
    return shares


def test_while_there_is_plenty_nobody_is_left_out() -> None:
    """All of the next claim may be one user's."""
    few = shares(10, "ab")
    assert few.claimable(8) == (8, ())
    assert not few.held_back


def test_a_claim_brings_nobody_above_their_share() -> None:
    """It is cut to what is left to whoever has most."""
    assert shares(10, "aaaaaaab").claimable(8) == (3, [])


def test_who_has_their_share_is_left_out_until_one_ends() -> None:
    """And there may be more of theirs, for which there is room later."""
    full = shares(3, "aaab")
    assert full.claimable(8) == (2, ["a"])
    assert full.held_back
    full.end("a")
    assert full.claimable(8) == (1, [])
    assert not full.held_back


def test_users_without_jobs_are_forgotten() -> None:
    """However many have come and gone."""
    crowd = UserShares(2)
    for number in range(1000):
        crowd.begin(str(number))
    for number in range(1000):
        crowd.end(str(number))
    assert crowd.claimable(2) == (2, ())
    assert not vars(crowd)["_at_work"]


def test_small_rooms_have_no_reserve() -> None:
    """Else one user could never use half of two places."""
    assert [reserve_of(places) for places in (1, 2, 3, 4, 16, 2000)] == [0, 0, 0, 1, 4, 500]
