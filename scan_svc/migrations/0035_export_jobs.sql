-- Exports of all that is kept of a user are client jobs. The row stays beside them, for GetExport of this release and of the
-- one before, and for what Auth has told until it is in the file.
alter table scan.export add column job_id uuid unique references scan.client_job (id) on delete cascade;

-- A job that failed may be tried again by an operator: what Auth has told stays for that, until the row goes within a day.
create function scan.keep_export_in_step() returns trigger language plpgsql as $$
begin
    update scan.export e
    set state = case new.state when 'SUCCEEDED' then 'SUCCEEDED' else 'FAILED' end,
        object_key = case new.state when 'SUCCEEDED' then new.file_key else e.object_key end,
        size_bytes = new.file_bytes,
        account = case new.state when 'FAILED' then e.account else '' end,
        finished_at = new.finished_at
    where e.job_id = new.id;
    return null;
end
$$;

create trigger export_ended after update of state on scan.client_job
    for each row when (new.kind = 'client_export' and new.finished_at is not null)
    execute function scan.keep_export_in_step();
