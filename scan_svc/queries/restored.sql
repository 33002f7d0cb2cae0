-- After a backup was restored: nobody works on anything, whatever it says. Tokens rise by $1, so that no scan's version is
-- lower than what its readers saw after the backup was made, and a worker of the former database is fenced. The time that
-- scans may take begins anew. What a webhook has to wait stays.
with released as (
    update scan.job
    set token = token + $1, worker_id = null,
        version = case when state in ('READY', 'LEASED') then (token + $1) * 10000 else version end,
        attempt = greatest(attempt - case state when 'LEASED' then 1 else 0 end, 0),
        run_at = case when kind = 'scan' and state in ('READY', 'LEASED') then now() else run_at end,
        state = case state when 'LEASED' then 'READY' else state end
    returning kind, ref, state
), gone as (
    delete from scan.worker
), log as (
    -- Another log of events begins: cursors of the former one are refused, and ids begin beyond all that it may have had.
    update scan.event_log set log = log + 1, dropped_clock = 0, dropped_id = 0
    returning setval('scan.event_id', (log + 1) * 1000000000000000)
), lifted as (
    -- In another server's count of transactions these would lie in the future, and never be read.
    update scan.event set clock = pg_current_xact_id()::text::bigint where clock > pg_current_xact_id()::text::bigint
)
update scan.scan s set started_at = now()
from released r
where r.kind = 'scan' and r.state = 'READY' and s.id = r.ref and exists (select from log)
returning s.id
