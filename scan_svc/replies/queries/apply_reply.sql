-- A reply that settled or changed something, and what it made of the scan, both or neither. Nothing without the lease.
-- Only what the reply changed is replaced: the scan may have grown meanwhile. $8: its reward is to be evaluated, by the
-- job that is there already (whoever is at it sees that the scan has changed) or by a new one. $9: what it says of the
-- classification, $10: whether that may be kept as a label.
with asked as materialized (
    select id, outputs -> 'vision' as vision from scan.scan where id = $1 and state = 'SUCCEEDED' for no key update
), held as (
    delete from scan.reply_lease l using asked where l.scan_id = asked.id and l.token = $2
    returning l.scan_id, l.token, l.request_id, l.reply
), updated as (
    update scan.scan s
    set outputs = s.outputs || $5::jsonb, stages = s.stages || $6::jsonb, region = $7, version = s.version + 1
    from held where s.id = held.scan_id
    returning s.id, s.user_id, s.traceparent
), reward_job as (
    insert into scan.job as j (kind, ref, state, stage, traceparent)
    select 'reward', id, 'READY', 'reward', traceparent from updated where $8
    on conflict (kind, ref) do update
    set state = 'READY', attempt = 0, crashes = 0, run_at = now(), token = j.token + 1
    where j.state <> 'LEASED'
), paid as (
    insert into scan.reply_cost (user_id, micro_usd)
    select user_id, ($6::jsonb #>> '{0,usage,cost_micro_usd}')::bigint from updated
    where $6::jsonb #>> '{0,usage,cost_micro_usd}' is not null
), judged as (
    select scan.judge(id, user_id, asked.vision, $5::jsonb -> 'vision', $9, (
        select verdict from scan.reply where scan_id = $1 and verdict is not null order by scan.reply.id desc limit 1
    ), $10)
    from updated join asked using (id)
    where $9::text is not null
)
insert into scan.reply (scan_id, request_id, reply, understood, message, question, token, verdict)
select held.scan_id, held.request_id, held.reply, true, $3, $4, held.token, $9
from held join updated on updated.id = held.scan_id
returning id, (select count(*) from judged)
