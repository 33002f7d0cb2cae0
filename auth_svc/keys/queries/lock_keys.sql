-- One replica at a time looks whether keys are due. Any number of our own.
select pg_advisory_xact_lock(1701016434);
