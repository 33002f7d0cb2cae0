"""The judge of a chaos run: it must see what is wrong, or its `ok` is worth nothing."""

from dataclasses import replace

from tests.chaos.invariants import judge
from tests.chaos.observations import Blow, Commit, Ending, Handover, Hit, Observations, Submitted, Told
from tests.support.scan.journal import Entry, Event

SCAN = "s1"
KILLED, HEALTHY = 100, 200


def registered(pid: int, worker_id: int) -> Entry:
    return Entry(at=0.0, pid=pid, event=Event.REGISTERED, worker_id=worker_id)


def tried(pid: int, at: float, *, paid: bool = True) -> list[Entry]:
    """A try of vision that takes a second."""
    started = Entry(at=at, pid=pid, event=Event.STARTED, scan_id=SCAN, stage="vision")
    payment = Entry(at=at + 0.9, pid=pid, event=Event.PAID, scan_id=SCAN, stage="vision", began=at)
    return [started, payment] if paid else [started]


# A worker is killed with a paid result in hand; another one takes over after the lease and finishes.
GOOD = Observations(
    lease_seconds=3.0,
    submitted={SCAN: Submitted()},
    entries=[registered(KILLED, 1), registered(HEALTHY, 2), *tried(KILLED, 1.0), *tried(HEALTHY, 6.0)],
    handovers=[
        Handover(SCAN, 0, "READY", None, 0.5),
        Handover(SCAN, 1, "LEASED", 1, 0.9),
        Handover(SCAN, 2, "READY", None, 5.2),
        Handover(SCAN, 3, "LEASED", 2, 5.9),
    ],
    commits=[Commit(SCAN, "vision", 3, 7.1), Commit(SCAN, "answer", 3, 8.0), Commit(SCAN, "reward", 0, 8.1)],
    endings=[Ending(SCAN, "SUCCEEDED", 8.0)],
    states={SCAN: "SUCCEEDED"},
    webhooks=[(SCAN, "scan.succeeded")],
    hits=[Hit(Blow.KILL, 1.95, 1.95, KILLED)],
    told=[
        Told(1, SCAN, "eco2.scan.accepted"),
        Told(2, SCAN, "eco2.scan.stage.started", "vision"),
        Told(3, SCAN, "eco2.scan.stage.retried", "vision"),
        Told(5, SCAN, "eco2.scan.stage.started", "vision"),
        Told(6, SCAN, "eco2.scan.stage.succeeded", "vision"),
        Told(7, SCAN, "eco2.scan.stage.succeeded", "answer"),
        Told(8, SCAN, "eco2.scan.succeeded"),
        Told(9, SCAN, "eco2.reward.succeeded", "reward"),
    ],
    logged=frozenset((1, 2, 3, 5, 6, 7, 8, 9)),
)


def violated(observations: Observations) -> list[str]:
    """The first word or two of every invariant that doesn't hold."""
    return [" ".join(verdict.name.split()[:2]) for verdict in judge(observations) if not verdict.holds]


def test_a_recovery_as_it_should_be_violates_nothing() -> None:
    """Paid twice, but once in flight at the kill; resumed within the lease and some."""
    assert violated(GOOD) == []


def test_a_scan_that_is_gone_or_never_ends_is_missed() -> None:
    """Lost, or still queued when everything is quiet."""
    assert "scans missing" in violated(replace(GOOD, states={}))
    assert "scans missing" in violated(replace(GOOD, states={SCAN: "QUEUED"}))


def test_an_event_that_was_not_read_or_not_written_is_missed() -> None:
    """Committed behind a reader, or forgotten by a statement."""
    assert "events lost" in violated(replace(GOOD, logged=GOOD.logged | {4}))
    for left_out in ("eco2.scan.stage.succeeded", "eco2.scan.succeeded"):
        told = [one for one in GOOD.told if one.type != left_out]
        assert "events lost" in violated(replace(GOOD, told=told, logged=frozenset(one.id for one in told)))


def test_events_that_were_read_in_another_order_are_seen() -> None:
    """Of one scan; and a life that ends otherwise than the scan."""
    first, second, *rest = GOOD.told
    assert "events out" in violated(replace(GOOD, told=[second, first, *rest]))
    assert "events out" in violated(replace(GOOD, told=GOOD.told[1:]))
    assert "events out" in violated(replace(GOOD, states={SCAN: "FAILED"}))


def test_a_payment_without_a_blow_to_excuse_it_is_seen() -> None:
    """The same two payments, but nobody was killed."""
    assert violated(replace(GOOD, hits=[])) == ["payments beyond"]


def test_a_blow_to_another_process_excuses_nothing() -> None:
    """Only the process that had the result in hand could lose it."""
    assert "payments beyond" in violated(replace(GOOD, hits=[Hit(Blow.KILL, 1.95, 1.95, HEALTHY + 1)]))


def test_a_blow_after_the_job_changed_hands_excuses_nothing() -> None:
    """By then the result had been lost for another reason."""
    assert "payments beyond" in violated(replace(GOOD, hits=[Hit(Blow.KILL, 5.5, 5.5, KILLED)]))


def test_a_database_that_was_away_briefly_excuses_nothing() -> None:
    """The result stays in hand until the database is back; only about a lease later must a worker let go."""
    assert "payments beyond" in violated(replace(GOOD, hits=[Hit(Blow.CRASH, 1.5, 2.5)]))
    assert violated(replace(GOOD, hits=[Hit(Blow.POSTGRES, 1.5, 4.0)])) == []


def test_a_stage_that_starts_after_its_commit_is_seen() -> None:
    """A thawed worker that goes on from where it was."""
    again = tried(KILLED, 7.5, paid=False)
    assert violated(replace(GOOD, entries=[*GOOD.entries, *again])) == ["stages started"]


def test_a_scan_that_succeeds_twice_is_seen() -> None:
    """Two workers both believed that they held it."""
    assert violated(replace(GOOD, endings=[*GOOD.endings, Ending(SCAN, "SUCCEEDED", 8.5)])) == ["scans that"]


def test_a_reward_that_is_stored_twice_or_never_is_seen() -> None:
    """It is a job of its own: nothing of its scan would tell."""
    assert violated(replace(GOOD, commits=[*GOOD.commits, Commit(SCAN, "reward", 0, 8.2)])) == ["rewards stored"]
    assert violated(replace(GOOD, rewardless=[SCAN])) == ["rewards stored"]


def test_a_webhook_is_there_exactly_once_and_only_if_asked_for() -> None:
    """Missing, twice, of the wrong event, or unasked."""
    for webhooks in ([], [*GOOD.webhooks, *GOOD.webhooks], [(SCAN, "scan.failed")]):
        assert violated(replace(GOOD, webhooks=webhooks)) == ["terminal scans"]
    assert violated(replace(GOOD, submitted={SCAN: Submitted(callback=False)})) == ["terminal scans"]


def test_a_webhook_that_nobody_received_is_seen() -> None:
    """A row is not a delivery."""
    assert violated(replace(GOOD, undelivered=["w1"])) == ["webhooks not"]


def test_a_replay_that_succeeds_has_both_webhooks() -> None:
    """It failed, and said so; later it succeeded."""
    ends = [Ending(SCAN, "FAILED", 4.0), *GOOD.endings]
    failed = Told(4, SCAN, "eco2.scan.failed")
    replayed = replace(GOOD, endings=ends, told=[*GOOD.told[:3], failed, *GOOD.told[3:]])
    assert violated(replayed) == ["terminal scans"]
    assert violated(replace(replayed, webhooks=[*GOOD.webhooks, (SCAN, "scan.failed")])) == []


def test_only_poison_may_be_archived_and_must_be() -> None:
    """Innocents that shared a process with it must not share its end."""
    assert violated(replace(GOOD, archived=frozenset({SCAN}))) == ["innocents archived"]
    assert violated(replace(GOOD, submitted={SCAN: Submitted(poison=True)})) == ["poison not"]


def test_a_slow_resumption_is_seen_unless_there_was_no_database_or_no_worker() -> None:
    """The limit is the lease and five seconds, in which somebody could have resumed it."""
    late = [replace(one, at=one.at + 6.0) if one.token == 3 else one for one in GOOD.handovers]
    observations = replace(
        GOOD,
        entries=[registered(KILLED, 1), registered(HEALTHY, 2), *tried(KILLED, 1.0), *tried(HEALTHY, 12.0)],
        handovers=late,
        commits=[replace(commit, at=commit.at + 6.0) for commit in GOOD.commits],
        endings=[Ending(SCAN, "SUCCEEDED", 14.0)],
    )
    assert violated(observations) == ["slowest resumption,"]
    assert violated(replace(observations, hits=[*observations.hits, Hit(Blow.POSTGRES, 3.0, 6.0)])) == []
    frozen = Hit(Blow.FREEZE, 6.0, 9.0, HEALTHY)
    assert violated(replace(observations, hits=[*observations.hits, frozen])) == []
    third = registered(HEALTHY + 1, 3)
    assert violated(
        replace(observations, entries=[*observations.entries, third], hits=[*observations.hits, frozen])
    ) == ["slowest resumption,"]
    # The same time is excused once, however many reasons there are.
    away = [Hit(Blow.POSTGRES, 6.0, 7.0), Hit(Blow.CRASH, 6.0, 7.0)]
    assert violated(replace(observations, hits=[*observations.hits, *away])) == ["slowest resumption,"]
