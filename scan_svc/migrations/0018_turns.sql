-- Users take turns: whose job it is, and when its turn comes.

-- Whose scan or webhook; empty for jobs made by a release that doesn't say.
alter table scan.job add column user_id text default '' not null;

-- The round in which a scan's job is due: a user's first job waits in the round that is being claimed, their second one in
-- the next. Jobs made by a release that doesn't know rounds are due in the first.
alter table scan.job add column turn bigint default 0 not null;

-- No index names a column that a checkpoint changes: its updates must stay HOT.
create index job_turn on scan.job (priority desc, turn, run_at, id) where kind = 'scan' and state = 'READY';
create index job_of_user on scan.job (user_id, turn) where kind = 'scan' and state = 'READY';

-- The round in which one more job of a user is due: after those of theirs that wait, and not before the round that is
-- being claimed, which is that of the first job due. If none is due it is the last round anybody waits for, so that what
-- is tried again later comes before most of what is made in the meantime. One row: a function that returns a table
-- becomes part of the statement, while a scalar one is started by itself. Usually the very first job is due; to look for
-- one by its time as well costs three times as much.
create function scan.next_turn(of_user text) returns table (turn bigint) language sql stable as $$
    select greatest(
        coalesce((
            select case when first.run_at <= now() then first.turn else coalesce(
                (select j.turn from scan.job j where j.kind = 'scan' and j.state = 'READY' and j.run_at <= now()
                 order by j.priority desc, j.turn, j.run_at, j.id limit 1),
                (select j.turn from scan.job j where j.kind = 'scan' and j.state = 'READY'
                 order by j.priority, j.turn desc, j.run_at desc, j.id desc limit 1)) end
            from (select j.turn, j.run_at from scan.job j where j.kind = 'scan' and j.state = 'READY'
                  order by j.priority desc, j.turn, j.run_at, j.id limit 1) as first), 0),
        (select j.turn + 1 from scan.job j where j.kind = 'scan' and j.state = 'READY' and j.user_id = of_user
         order by j.turn desc limit 1))
$$;

-- As before, and with whose they are: no user may have all the deliveries of a worker.
create or replace function scan.make_webhooks(ended uuid[], what_happened text) returns setof uuid language sql strict as $$
    with webhook as (
        insert into scan.webhook (id, scan_id, event)
        select uuidv7(), s.id, what_happened
        from scan.scan s
        join scan.webhook_endpoint e on e.user_id = s.user_id and e.url = s.callback_url
        where s.id = any (ended) and e.gone_at is null
        on conflict do nothing
        returning id, scan_id
    ), job as (
        insert into scan.job (kind, ref, state, stage, user_id)
        select 'webhook', webhook.id, 'READY', 'deliver', s.user_id
        from webhook join scan.scan s on s.id = webhook.scan_id
    )
    select scan_id from webhook
$$;
