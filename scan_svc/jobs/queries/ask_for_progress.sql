-- Asks the workers to store the progress that they have shown.
select pg_notify('scan_progress', '')
