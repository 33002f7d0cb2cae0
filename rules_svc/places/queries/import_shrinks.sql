-- How many places of a source there are now, and how many of them the file doesn't have any more.
-- $1 source
select count(*) as live, count(*) filter (where given.place_id is null) as gone
from rules.place as place
left join given using (place_id)
where place.source = $1 and place.retired_at is null;
