-- What is to be written: each leader with the materials of all its rows, and what it doesn't say taken from the others.
create temp table given on commit drop as
select
    $1::text || ':' || leader.key as place_id,
    leader.kind,
    leader.name_ko,
    leader.name_en,
    leader.address,
    leader.location,
    case when folded.count = 1 then leader.materials else folded.materials end as materials,
    coalesce(nullif(leader.opening_hours_ko, ''), folded.opening_hours_ko, '') as opening_hours_ko,
    coalesce(nullif(leader.opening_hours_en, ''), folded.opening_hours_en, '') as opening_hours_en,
    coalesce(nullif(leader.hours, ''), folded.hours, '') as hours,
    coalesce(nullif(leader.phone, ''), folded.phone, '') as phone
from staged as leader
join (
    select
        merged.leader,
        count(distinct staged.line) as count,
        array_agg(distinct material order by material) as materials,
        min(staged.opening_hours_ko) filter (where staged.opening_hours_ko <> '') as opening_hours_ko,
        min(staged.opening_hours_en) filter (where staged.opening_hours_en <> '') as opening_hours_en,
        min(staged.hours) filter (where staged.hours <> '') as hours,
        min(staged.phone) filter (where staged.phone <> '') as phone
    from merged
    join staged using (line)
    cross join lateral unnest(staged.materials) as material
    where merged.leader is not null
    group by merged.leader
) as folded on folded.leader = leader.line;
