-- Makes the parts of the log for the days that will be written to next.
select scan.make_event_days()
