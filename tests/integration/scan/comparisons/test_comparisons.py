"""Past scans once more by another model or rule book: what an operator is told, and that users notice nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from eco2.jobs.v1 import comparison_service_pb2 as pb
from eco2.jobs.v1.comparison_pb2 import ComparisonResult, ScanComparison
from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.jobs_service_pb2 import CreateJobRequest, ListJobsRequest
from eco2.jobs.v1.jobs_service_pb2_grpc import JobsServiceStub
from eco2.scan.v1.scan_service_pb2 import ListScansRequest
from eco2.vision.v1.classification_pb2 import Category, Classification
from mesh.errors import FailedPrecondition, Internal, NotFound, ResourceExhausted, Unavailable
from mesh.grpc.identity import USER_HEADER, usable
from mesh.grpc.status import from_rpc_error
from mesh.postgres import Pool, open_pool
from mesh.reasons import Reason
from scan_svc.comparisons.comparisons import OPERATORS
from tests.integration.scan.client import Client, create
from tests.integration.scan.comparisons.operators import Operator
from tests.support.scan.peer_servicers import METAL, Peers
from tests.support.waiting import eventually

_METAL, _PET = "재활용폐기물/금속류", "재활용폐기물/무색페트병"
_NEW = "gpt-5"
_LOOK = {"model": "gpt", "input_tokens": 9, "cost_micro_usd": 400, "calls": 1}


@pytest.fixture
async def operator(client: Client) -> AsyncIterator[Operator]:
    """Of the service that the user has."""
    async with grpc.aio.insecure_channel(client.target) as channel:
        yield Operator(channel)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Pool]:
    """The test's own look into the database."""
    async with open_pool(database_url) as pool:
        yield pool


async def _scanned(client: Client, count: int = 1) -> list[str]:
    scan_ids = [await create(client, f"https://example.com/{number}.jpg") for number in range(count)]
    await asyncio.gather(*map(client.finished, scan_ids))
    return scan_ids


def _sees(peers: Peers, *pets: int) -> None:
    """The new model takes the photos of these numbers for bottles, and the others for metal, as the old one did."""
    names = {f"https://example.com/{number}.jpg" for number in pets}

    def look(photo: str) -> Classification:
        middle = "무색페트병" if photo in names else "금속류"
        return Classification(category=Category(major="재활용폐기물", middle=middle), confidence=0.7)

    peers.looked_at = look


async def _reason(call: Any) -> Reason:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return from_rpc_error(refused.value, "scan").reason


async def test_the_difference_the_cost_and_who_is_right(client: Client, operator: Operator, peers: Peers) -> None:
    """Of six scans the new model sees three differently; of four it is known what they show."""
    peers.usage = {**_LOOK, "cost_micro_usd": 100}
    scans = await _scanned(client, 6)
    # 0 is a bottle, and the new model alone says so; 1 as well, and neither does; 2 is metal, which the old one alone
    # says; 3 is metal, as both say; 4 isn't metal, and the new model says so, too; nobody has said anything of 5.
    for number, reply in enumerate(("투명", "투명", "맞아요", "맞아요", "틀렸어요")):
        await client.reply(scans[number], reply)
    peers.usage = _LOOK
    _sees(peers, 0, 2, 4)
    done = await operator.compared(classifier=_NEW)

    assert done.comparison.state == Job.STATE_SUCCEEDED
    assert done.comparison.comparison_result == ComparisonResult(ending=ComparisonResult.ENDING_COMPLETE, compared=6)
    assert (done.comparison.done, done.comparison.total, done.comparison.cost_micro_usd) == (6, 6, 6 * 400)
    report = done.report
    assert (report.compared, report.same_major, report.same_middle, report.same_category) == (6, 6, 3, 3)
    assert [(one.before, one.after, one.count) for one in report.confusions] == [(_METAL, _PET, 3)]
    assert dict(report.differs) == {"category": 3, "rules": 3, "answer": 3}
    assert (round(report.confidence_before, 3), round(report.confidence_after, 3)) == (0.9, 0.7)
    assert (report.denied, report.denied_changed) == (1, 1)
    accuracy = report.accuracy
    assert (accuracy.known, accuracy.before.share, accuracy.after.share) == (4, 0.5, 0.5)
    assert (accuracy.only_before, accuracy.only_after, accuracy.p_value) == (1, 1, 1.0)
    assert accuracy.before.low < 0.5 < accuracy.before.high
    assert (report.before.paid, report.before.mean_cost_micro_usd) == (6, 100)
    assert (report.after.paid, report.after.mean_cost_micro_usd, report.after.timed) == (6, 400, 6)


async def test_scans_are_shown_page_by_page(client: Client, operator: Operator, peers: Peers) -> None:
    """By id, with nothing that is personal; all, or those that differ."""
    scans = await _scanned(client, 5)
    _sees(peers, 1, 3)
    comparison_id = (await operator.compared(classifier=_NEW)).comparison.job_id
    everything = await operator.scans(comparison_id, page_size=2)
    differing = await operator.scans(comparison_id, page_size=1, differing=True)
    assert sorted(one.scan_id for one in everything) == sorted(scans)
    assert {one.scan_id for one in differing} == {scans[1], scans[3]}
    assert {(one.before.category, one.after.category) for one in differing} == {(_METAL, _PET)}
    assert {tuple(one.before.rule_ids) for one in differing} == {("금속류",)}


async def test_a_rule_book_is_compared_without_another_look(client: Client, operator: Operator, peers: Peers) -> None:
    """Both sides are told anew, so that they differ by the book alone; nothing is paid."""
    await _scanned(client, 3)
    done = await operator.compared(rulebook="candidate")
    spec = done.comparison.comparison
    assert (spec.current_version, spec.rulebook_version) == ("0" * 12, "1" * 12)
    assert dict(done.report.differs) == {"container": 3, "answer": 3}
    assert (done.report.same_category, done.comparison.cost_micro_usd, peers.calls["Reclassify"]) == (3, 0, 0)


async def test_users_notice_nothing(client: Client, operator: Operator, peers: Peers, database: Pool) -> None:
    """No scan, reward, webhook, figure or sum of theirs changes: all tables but the comparison's own are as before."""
    peers.found = Classification(category=METAL, confidence=0.9, provider="offline", model="lite2")
    scans = await _scanned(client, 6)
    await client.reply(scans[0], "투명", may_learn=True)
    history = await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)
    accuracy, calls = await client.accuracy(), Counter(peers.calls)
    before = await _tables(database)
    peers.usage = _LOOK
    _sees(peers, 1, 2)
    await operator.compared(classifier=_NEW, rulebook="candidate")

    assert await _tables(database) == before
    assert await client.stub.ListScans(ListScansRequest(), metadata=client.metadata) == history
    assert await client.accuracy() == accuracy
    asked = Counter(peers.calls) - calls
    assert set(asked) == {"Reclassify", "ReadviseDisposal"}
    assert asked["Reclassify"] == 6


async def _tables(database: Pool) -> dict[str, str]:
    """A digest of each table's rows, but for what a comparison writes and what a living worker does."""
    digest = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from scan.{} t"
    own = {"client_job", "comparison_scan", "job", "worker", "periodic", "event", "event_log"}
    names = await database.fetch(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'scan' and c.relkind in ('r', 'p') and not c.relispartition"
    )
    return {
        name: str(await database.fetchval(digest.format(name)))
        for name in sorted(row["relname"] for row in names)
        if name not in own
    }  # fmt: skip


async def test_it_stops_before_it_costs_more_than_it_may(client: Client, operator: Operator, peers: Peers) -> None:
    """By the dearest look so far; what was found until then is there."""
    await _scanned(client, 6)
    peers.usage = _LOOK
    done = await operator.compared(classifier=_NEW, max_cost_micro_usd=1000)
    assert done.comparison.state == Job.STATE_SUCCEEDED
    assert done.comparison.comparison_result == ComparisonResult(ending=ComparisonResult.ENDING_COST_LIMIT, compared=2)
    assert (done.comparison.cost_micro_usd, len(peers.looks), done.report.compared) == (800, 2, 2)


async def test_without_money_today_it_waits(client: Client, operator: Operator, peers: Peers) -> None:
    """What comparisons may cost in a day is spent: it goes on by itself, and says so."""
    await _scanned(client, 2)

    async def refuse() -> None:
        raise ResourceExhausted(Reason.MODEL_BUDGET_SPENT, retry_after=3600.0, model=_NEW, limit="day")

    peers.before["Reclassify"] = refuse
    job = await operator.begin(classifier=_NEW)

    async def waits() -> bool:
        now = await operator.get(job.job_id)
        return now.comparison.state == Job.STATE_QUEUED and now.HasField("wait_until_time")

    await eventually(waits)
    cancelled = await operator.stub.CancelComparison(pb.CancelComparisonRequest(comparison_id=job.job_id))
    assert cancelled.comparison.state == Job.STATE_CANCELLED


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        pytest.param(NotFound(Reason.PHOTO_NOT_FOUND), ScanComparison.OUTCOME_SKIPPED, id="photo gone"),
        pytest.param(FailedPrecondition(Reason.MODEL_REFUSED), ScanComparison.OUTCOME_FAILED, id="refused"),
        pytest.param(Internal(Reason.INTERNAL, trace_id="0"), ScanComparison.OUTCOME_FAILED, id="a fault of ours"),
        pytest.param(FailedPrecondition(Reason.NOT_WASTE), ScanComparison.OUTCOME_COMPARED, id="no waste"),
    ],
)
async def test_a_scan_that_cannot_be_looked_at_is_told_with_its_reason(
    client: Client, operator: Operator, peers: Peers, error: Any, outcome: Any
) -> None:
    """One scan's trouble ends no comparison; what a model says without naming a category is an outcome."""
    await _scanned(client)

    async def fail() -> None:
        raise error

    peers.before["Reclassify"] = fail
    done = await operator.compared(classifier=_NEW)
    (scan,) = await operator.scans(done.comparison.job_id)
    assert done.comparison.state == Job.STATE_SUCCEEDED
    assert scan.outcome == outcome
    assert scan.after.category == "NOT_WASTE" if scan.outcome == ScanComparison.OUTCOME_COMPARED else scan.reason
    told = {**done.report.skipped, **done.report.failed}
    assert told == ({} if error.reason is Reason.NOT_WASTE else {error.reason: 1})


async def test_what_a_failed_try_has_cost_counts(client: Client, operator: Operator, peers: Peers) -> None:
    """A model that is silent for too long is asked again, and both tries are paid."""
    await _scanned(client)
    peers.usage = _LOOK
    tries = iter([Unavailable(Reason.MODEL_OUTPUT_INVALID, model=_NEW, cost_micro_usd=150, input_tokens=3, calls=1)])

    async def fail_once() -> None:
        if error := next(tries, None):
            raise error

    peers.before["Reclassify"] = fail_once
    done = await operator.compared(classifier=_NEW)
    assert (done.report.compared, done.comparison.cost_micro_usd, len(peers.looks)) == (1, 550, 2)


async def test_while_the_provider_is_away_no_scan_fails_for_it(
    client: Client, operator: Operator, peers: Peers
) -> None:
    """It would be away for all the others as well: the comparison is tried again, and goes on."""
    await _scanned(client, 2)
    failures = iter(range(4))  # one look's tries, and one more

    async def away() -> None:
        if next(failures, None) is not None:
            raise Unavailable(Reason.MODEL_UNAVAILABLE, model=_NEW)

    peers.before["Reclassify"] = away
    done = await operator.compared(classifier=_NEW)
    assert done.comparison.state == Job.STATE_SUCCEEDED
    assert (done.report.compared, dict(done.report.failed)) == (2, {})


async def test_no_user_can_ask_for_one(client: Client, operator: Operator, peers: Peers) -> None:
    """Not by the RPC for users' jobs either, nor by calling themselves operators; it would spend everybody's money."""
    await _scanned(client)
    async with grpc.aio.insecure_channel(client.target) as channel:
        stub: Any = JobsServiceStub(channel)
        request = CreateJobRequest(comparison={"classifier": _NEW})
        assert await _reason(stub.CreateJob(request, metadata=client.metadata)) is Reason.OPERATORS_ONLY
        spoofed = ((USER_HEADER, OPERATORS),)
        assert await _reason(stub.CreateJob(request, metadata=spoofed)) is Reason.UNAUTHENTICATED
        assert await _reason(stub.ListJobs(ListJobsRequest(), metadata=spoofed)) is Reason.UNAUTHENTICATED
    assert not usable(OPERATORS)
    assert not (await operator.stub.ListComparisons(pb.ListComparisonsRequest())).comparisons


async def test_a_deleted_scan_is_gone_from_all_comparisons(client: Client, operator: Operator, peers: Peers) -> None:
    """With what it says; what it has cost stays."""
    scans = await _scanned(client, 3)
    peers.usage = _LOOK
    comparison_id = (await operator.compared(classifier=_NEW)).comparison.job_id
    await client.delete(scans[1])
    now = await operator.get(comparison_id)
    assert {one.scan_id for one in await operator.scans(comparison_id)} == {scans[0], scans[2]}
    assert (now.report.compared, now.comparison.cost_micro_usd) == (2, 1200)


async def test_the_same_seed_draws_the_same_sample(client: Client, operator: Operator) -> None:
    """So that two candidates meet the same scans; another seed draws others."""
    await _scanned(client, 12)
    samples = []
    for seed in (7, 7, 8):
        done = await operator.compared(rulebook="candidate", scan_count=5, seed=seed)
        samples.append([one.scan_id for one in await operator.scans(done.comparison.job_id)])
    assert samples[0] == samples[1] != samples[2]
    assert {len(sample) for sample in samples} == {5}


async def test_only_what_users_have_judged(client: Client, operator: Operator) -> None:
    """Where accuracy is what one wants to know, nothing is spent on other scans."""
    scans = await _scanned(client, 4)
    await client.reply(scans[2], "맞아요")
    done = await operator.compared(classifier=_NEW, corrected_only=True)
    assert [one.scan_id for one in await operator.scans(done.comparison.job_id)] == [scans[2]]


async def test_what_cannot_be_compared_is_refused(client: Client, operator: Operator) -> None:
    """Before anything is drawn, with the field or with what there is."""
    assert await _reason(operator.begin()) is Reason.INVALID_FIELD
    assert await _reason(operator.begin(rulebook="current")) is Reason.INVALID_FIELD
    assert await _reason(operator.begin(classifier="gpt-9")) is Reason.CLASSIFIER_UNKNOWN
    assert await _reason(operator.begin(rulebook="draft")) is Reason.RULEBOOK_UNKNOWN
    assert await _reason(operator.begin(classifier=_NEW, scan_count=10_001)) is Reason.INVALID_FIELD
    unknown = "0197b0f0-0000-7000-8000-000000000001"
    assert await _reason(operator.get(unknown)) is Reason.COMPARISON_NOT_FOUND


async def test_a_repeated_request_begins_nothing(client: Client, operator: Operator) -> None:
    """A lost reply must not cost a second comparison."""
    first, again = [await operator.begin("once", rulebook="candidate") for _ in range(2)]
    assert first.job_id == again.job_id
    listed = await operator.stub.ListComparisons(pb.ListComparisonsRequest())
    assert [one.job_id for one in listed.comparisons] == [first.job_id]


async def test_a_rule_book_that_is_unloaded_meanwhile_ends_it_clearly(
    client: Client, operator: Operator, peers: Peers
) -> None:
    """Half a sample by one edition and half by another would be worth nothing."""
    await _scanned(client)

    async def gone() -> None:
        raise FailedPrecondition(Reason.RULEBOOK_UNKNOWN, rulebook="1" * 12)

    peers.before["ReadviseDisposal"] = gone
    done = await operator.compared(rulebook="candidate")
    assert done.comparison.state == Job.STATE_FAILED
    assert "RULEBOOK_UNKNOWN" in str(done.comparison.error)
