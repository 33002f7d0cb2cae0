-- The reward of a scan that has succeeded is a job of its own, of kind 'reward', whose ref is the scan.

-- Unused since 0.1: nothing relies on the database to refuse a kind, since each worker claims the kinds it knows by name.
alter table scan.job drop constraint job_kind_check;

-- A scan takes its reward's job with it, whoever deletes it, the release before included; who is at it stops.
create function scan.remove_reward_jobs() returns trigger language plpgsql as $$
declare
    gone bigint;
begin
    for gone in
        delete from scan.job j using removed where j.kind = 'reward' and j.ref = removed.id returning j.id
    loop
        perform pg_notify('scan_stop', gone::text);
    end loop;
    return null;
end
$$;

create trigger reward_removed after delete on scan.scan
    referencing old table as removed for each statement execute function scan.remove_reward_jobs();
