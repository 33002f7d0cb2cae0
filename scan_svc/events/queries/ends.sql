-- Where the log begins and where it ends for readers, with the time of the last event before its end.
select log.log, log.dropped_clock, log.dropped_id, last.clock, last.id, last.at
from scan.event_log as log
left join lateral (
    select clock, id, at from scan.event where clock < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    order by clock desc, id desc limit 1
) as last on true
