-- The buildings that somebody manages, oldest first.
select code, manager, region, says::text, version, updated_at
from rules.building
where manager = $1 and says is not null
order by created_at, code
