-- Retires the places of a source that the file doesn't have any more.
-- $1 source
update rules.place as place
set retired_at = now()
where place.source = $1
    and place.retired_at is null
    and not exists (select from given where given.place_id = place.place_id);
