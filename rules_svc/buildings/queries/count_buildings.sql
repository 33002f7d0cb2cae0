-- How many buildings somebody has, how many they have created within a day, and in how many seconds that is one less.
select
    count(*) filter (where says is not null) as kept,
    count(*) filter (where created_at > now() - interval '1 day') as today,
    coalesce(extract(epoch from min(created_at) filter (where created_at > now() - interval '1 day')
        + interval '1 day' - now())::float8, 0) as seconds
from rules.building
where manager = $1
