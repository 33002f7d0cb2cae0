select pg_advisory_xact_lock(hashtextextended('scan.subscription ' || $1, 0))
