-- $1 from, $2 to, $3 at most. What both have stays the owner's.
with room as (
    select $3 - count(*) as places from scan.subscription where user_id = $2
), chosen as (
    select s.id from scan.subscription s
    where s.user_id = $1
      and not exists (select from scan.subscription o
                      where o.user_id = $2 and o.channel = s.channel and o.address = s.address)
    order by s.created_at desc
    limit greatest((select places from room), 0)
), left_over as (
    delete from scan.subscription s where s.user_id = $1 and s.id not in (select id from chosen)
)
update scan.subscription s set user_id = $2 from chosen where s.id = chosen.id
