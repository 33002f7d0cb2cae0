-- Drops the days of the log that ended more than $1 days ago.
select scan.drop_event_days($1)
