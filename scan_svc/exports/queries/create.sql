-- A new export with its job, unless its user has one that is running.
-- $1 id, $2 user_id, $3 account, $4 object_key
with made as (
    insert into scan.export (id, user_id, account, object_key) values ($1, $2, $3, $4)
    on conflict (user_id) where state = 'RUNNING' do nothing
    returning id, user_id, state, object_key, size_bytes, created_at, finished_at
), job as (
    insert into scan.job (kind, ref, state, stage) select 'export', id, 'READY', 'export' from made
)
select * from made
