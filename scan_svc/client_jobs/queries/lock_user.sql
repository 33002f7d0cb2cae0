-- One client job of a user is made at a time, so that nobody gets more than one may.
select pg_advisory_xact_lock(hashtextextended($1, 25))
