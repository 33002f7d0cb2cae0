-- $1 from, $2 to. The row that stays is deleted by the same statement, or one that moves at the same time would clash.
with kept as (
    select from scan.calendar where user_id = $2
), ended as (
    delete from scan.calendar where user_id = $1 and exists (select from kept)
)
update scan.calendar set user_id = $2 where user_id = $1 and not exists (select from kept)
