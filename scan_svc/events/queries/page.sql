-- Up to $4 events after a place ($1 clock, $2 id), with what is to be known of the log beside each; one row without an event
-- if there are none. What stands below the oldest transaction under way can't change any more, and nothing can come
-- before it. No earlier day is opened than can hold any: nobody writes an event and commits it a day later ($3: when the
-- event of the place happened).
select log.log, log.dropped_clock, log.dropped_id, bound.clock as bound, e.*
from scan.event_log as log
cross join (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as clock) as bound
left join lateral (
    select id, clock, at, aggregatetype, aggregateid, type, traceparent, payload::text as payload
    from scan.event
    where (clock, id) > ($1, $2) and clock < bound.clock and at > $3::timestamptz - interval '1 day'
    order by clock, id
    limit $4
) as e on true
