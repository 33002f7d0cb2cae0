-- No row: the user has $6 of them, and this would be another one.
with known as (
    update scan.subscription set receiver = $4, auth = $5
    where user_id = $1 and address = $3 and channel = $2
    returning *
), made as (
    insert into scan.subscription (user_id, channel, address, receiver, auth)
    select $1, $2, $3, $4, $5
    where not exists (select from known) and (select count(*) from scan.subscription where user_id = $1) < $6
    returning *
)
select * from known union all select * from made
