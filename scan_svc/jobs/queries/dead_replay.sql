-- Dead letters go on from the stage that failed, with fresh attempts and a fresh clock. Crashes are forgotten, but not
-- those of an archived job: if they are why it lies there, it runs alone, and the next one archives it again. A client
-- job goes on from its cursor. A reward's scan stays as it is. A user's scans wait for one turn after the other. Locked in
-- the order of ids, so that two replays of overlapping sets don't deadlock.
with chosen as materialized (
    select j.id, j.user_id, j.priority from scan.job j
    where j.ref = any ($1::uuid[]) and j.state in ('DEAD', 'ARCHIVED')
      and (j.kind in ('scan', 'reward') or exists (select from scan.client_job c where c.kind = j.kind and c.id = j.ref))
    order by j.id
    for update
), in_turn as materialized (
    select id, next.turn + row_number() over (partition by user_id, priority order by id) - 1 as turn
    from chosen, scan.next_turn(user_id, priority) as next
), replayed as (
    update scan.job j
    set state = 'READY', attempt = 0, crashes = case j.state when 'DEAD' then 0 else j.crashes end,
        replays = j.replays + 1, token = j.token + 1, version = (j.token + 1) * 10000, step = 'queue', run_at = now(),
        turn = case j.kind when 'scan' then in_turn.turn else j.turn end
    from in_turn where j.id = in_turn.id
    returning j.ref, j.kind, j.stage
), revived as (
    update scan.scan s
    set state = 'QUEUED', error = null, finished_at = null, started_at = now()
    from replayed where replayed.kind = 'scan' and s.id = replayed.ref
), resumed as (
    update scan.client_job c
    set state = 'QUEUED', error = null, finished_at = null, started_at = now()
    from replayed where c.kind = replayed.kind and c.id = replayed.ref
)
select ref as id, kind, stage from replayed
