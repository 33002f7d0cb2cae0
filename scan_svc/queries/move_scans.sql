-- Gives $3 scans of a user to another one, the oldest first. Those that somebody changes at this moment are left for the
-- next time. A request_id that the new owner has used, too, is forgotten.
-- $1 from, $2 to
with chosen as (
    select id from scan.scan where user_id = $1 order by id limit $3 for update skip locked
), moved as (
    update scan.scan s
    set user_id = $2,
        request_id = case when not exists (select from scan.scan o where o.user_id = $2 and o.request_id = s.request_id)
                          then s.request_id end
    from chosen where s.id = chosen.id
    returning s.id
), labels as (
    update scan.label l set user_id = $2 from moved where l.scan_id = moved.id
), jobs as (
    -- Whose turn they are. One that is being written at this moment is passed over: others lock a job before its scan.
    select j.id from scan.job j
    where (j.kind, j.ref) in (
        select 'scan', id from moved
        union all select 'webhook', w.id from scan.webhook w join moved on w.scan_id = moved.id)
    for update of j skip locked
), in_turn as (
    update scan.job j set user_id = $2 from jobs where j.id = jobs.id
)
select count(*) from moved
