-- Up to $3 events about $1, after the one with the id $2.
select (select log from scan.event_log) as log, id, clock, at, aggregatetype, aggregateid, type, traceparent,
       payload::text as payload
from scan.event
where aggregateid = $1 and id > $2 and clock < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by id
limit $3
