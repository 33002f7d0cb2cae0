-- A witness of clips, beside that of scans: who held which, and which looks at its frames are stored.
create table chaos.client_handover (
    ref uuid, token integer, state text, worker_id bigint, at timestamptz default clock_timestamp()
);
create table chaos.look (job_id uuid, shown_at float8, at timestamptz default clock_timestamp());

create function chaos.on_client_job() returns trigger language plpgsql as $$
begin
    insert into chaos.client_handover values (new.ref, new.token, new.state, new.worker_id);
    return null;
end $$;
create trigger on_client_job_insert after insert on scan.job for each row
    when (new.kind = 'video') execute function chaos.on_client_job();
create trigger on_client_job_update after update on scan.job for each row
    when (new.kind = 'video' and old.token is distinct from new.token)
    execute function chaos.on_client_job();

-- `shown_at`: how long after the clip's beginning the frame is shown, in seconds.
create function chaos.on_looks() returns trigger language plpgsql as $$
begin
    insert into chaos.look (job_id, shown_at)
    select new.id, extract(epoch from (new.cursor -> 'frames' -> place ->> 'time')::interval)
    from generate_series(coalesce(jsonb_array_length(old.cursor -> 'looks'), 0),
                         coalesce(jsonb_array_length(new.cursor -> 'looks'), 0) - 1) as places (place);
    return null;
end $$;
create trigger on_looks after update of cursor on scan.client_job for each row
    when (new.kind = 'video' and new.cursor is not null) execute function chaos.on_looks();
