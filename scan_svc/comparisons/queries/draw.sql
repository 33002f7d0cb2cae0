-- Draws a comparison's sample from the newest 200,000 scans of a time, all at once; nothing if it was drawn before. The
-- same seed draws the same scans as long as they are the same.
-- $1 comparison, $2 from, $3 until, $4 only those whose users said something of the classification, $5 seed, $6 how many
with newest as (
    select s.id
    from scan.scan s
    where s.state = 'SUCCEEDED' and not s.hidden
      and ($2::timestamptz is null or s.created_at >= $2) and ($3::timestamptz is null or s.created_at < $3)
      and (not $4 or exists (select from scan.reply r where r.scan_id = s.id and r.verdict is not null))
    order by s.id desc
    limit 200000
), drawn as (
    select id, row_number() over (order by md5(id::text || $5)) as position from newest order by 2 limit $6
), made as (
    insert into scan.comparison_scan (comparison_id, position, scan_id)
    select $1, position, id from drawn
    where not exists (select from scan.comparison_scan where comparison_id = $1)
    on conflict do nothing
    returning 1
)
select count(*)::integer from made
