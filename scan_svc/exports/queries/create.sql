-- A new export with its client job, unless its user has one that is running.
-- $1 id, $2 user_id, $3 account, $4 object_key, $5 spec, $6 traceparent
with made as (
    insert into scan.export (id, user_id, account, object_key, job_id) values ($1, $2, $3, $4, $1)
    on conflict (user_id) where state = 'RUNNING' do nothing
    returning id, user_id, state, object_key, size_bytes, created_at, finished_at
), client as (
    insert into scan.client_job (id, user_id, payload_hash, kind, state, step, spec, locale, traceparent, started_at)
    select id, user_id, '', 'client_export', 'QUEUED', 'queue', $5::jsonb, 'ko', $6, now() from made
), job as (
    insert into scan.job (kind, ref, state, stage, traceparent, user_id)
    select 'client_export', id, 'READY', 'run', $6, user_id from made
)
select * from made
