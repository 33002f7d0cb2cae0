-- The last event's id, and for how many seconds the oldest one has waited that nobody may read yet.
select coalesce(pg_sequence_last_value('scan.event_id'), 0) as written,
       (
           select coalesce(extract(epoch from now() - min(at)), 0)::float8 from scan.event
           where clock >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
       ) as held_age
