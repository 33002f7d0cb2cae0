-- Shows places again whose better-known double is gone, hidden itself, or no longer near.
update rules.place as place
set duplicate_of = null
where place.duplicate_of is not null
    and place.retired_at is null
    and not exists (
        select
        from rules.place as other
        where other.place_id = place.duplicate_of
            and other.retired_at is null
            and other.duplicate_of is null
            and other.kind = place.kind
            and rules.great_circle_meters(other.location, place.location) <= 50
    )
returning place.place_id;
