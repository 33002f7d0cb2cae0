-- Uploads are private until they are clean, and what ends without an answer leaves no photo.

-- The upload that was checked when the scan was started: no other content is ever looked at.
alter table scan.scan add column etag text default '' not null;

-- Photos that are to be removed: upload and clean copy, from storage and from caches. A row outlives its scan.
create table scan.photo_removal (
    scan_id     uuid primary key,
    object_key  text not null,
    image_url   text not null,
    ended_at    timestamptz not null default now(),
    due_at      timestamptz not null default now(),
    attempts    smallint not null default 0
);
create index photo_removal_due on scan.photo_removal (due_at);

-- By triggers, so that whatever ends or deletes a scan has its photo removed by the same commit: users, housekeeping, an
-- account's deletion, the release before this one.
create function scan.remove_photo(scan uuid, object_key text, image_url text) returns void language sql as $$
    insert into scan.photo_removal (scan_id, object_key, image_url) values ($1, $2, $3)
    on conflict (scan_id) do update set ended_at = now(), due_at = now(), attempts = 0
$$;

create function scan.photo_of_ended() returns trigger language plpgsql as $$
begin
    perform scan.remove_photo(old.id, old.object_key, old.image_url);
    return null;
end $$;

create trigger photo_of_deleted after delete on scan.scan
for each row when (old.content_type <> '') execute function scan.photo_of_ended();

create trigger photo_of_ended after update of state on scan.scan
for each row when (old.content_type <> '' and new.state in ('CANCELLED', 'EXPIRED') and old.state <> new.state)
execute function scan.photo_of_ended();

-- A scan that has failed needs its photo as long as it is replayed by itself.
create function scan.photo_of_archived() returns trigger language plpgsql as $$
begin
    perform scan.remove_photo(s.id, s.object_key, s.image_url) from scan.scan s
    where s.id = new.ref and s.content_type <> '';
    return null;
end $$;

create trigger photo_of_archived after update of state on scan.job
for each row when (new.kind = 'scan' and new.state = 'ARCHIVED' and old.state <> new.state)
execute function scan.photo_of_archived();

-- What the release before left lies where everybody may read it.
insert into scan.photo_removal (scan_id, object_key, image_url)
select s.id, s.object_key, s.image_url from scan.scan s
where s.id > (select uuidv7(interval '-31 days')) and s.content_type <> ''
  and (s.state in ('CANCELLED', 'EXPIRED')
       or s.state = 'FAILED' and exists (
           select from scan.job j where j.kind = 'scan' and j.ref = s.id and j.state = 'ARCHIVED'));
