-- One creation by one manager at a time, so that their number can be limited. Ends with the transaction.
select pg_advisory_xact_lock(hashtextextended('rules.building ' || $1, 0))
