"""What a scan's job leaves behind for the vacuum."""

from mesh.postgres import Queries
from tests.support.scan.scan_parts import ScanParts

CHANGES = "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relid = 'scan.job'::regclass"
FOLLOWING = {"vision": "rules", "rules": "answer", "answer": "places"}


async def test_checkpoints_touch_no_index(parts: ScanParts) -> None:
    """Each would be an entry in every index, and one to clean up: three of a job's four updates are checkpoints."""
    lease = await parts.held()
    checkpoint = Queries("scan_svc.jobs")["checkpoint"]
    async with parts.pool.acquire() as connection, connection.transaction():
        before = await connection.fetchrow(CHANGES)  # the connection's own that it hasn't told of yet
        for stage, following in FOLLOWING.items():
            moved = [[lease.job_id], [lease.token], [stage], [following], [7], [50], ["answer"]]
            produced = [[lease.job_id], [lease.token], [stage], ['{"some": "result"}'], ['{"stage": "some"}']]
            assert len(await connection.fetch(checkpoint, *moved, *produced, [], [], [], [])) == 1
        after = await connection.fetchrow(CHANGES)
        assert [now - then for now, then in zip(after, before, strict=True)] == [len(FOLLOWING)] * 2
