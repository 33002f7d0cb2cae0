-- What replies say of classifications: counted of everybody, and kept with the photo of those who consent.

-- What a reply says of its scan's classification: CONFIRMED, CORRECTED or DENIED; null if nothing.
alter table scan.reply add column verdict text;

-- How often each class was answered in each tenth of confidence, and what users said of it. No user and no photo: the
-- rows stay when scans go. Sharded, so that workers which end scans at the same time don't wait for each other.
create table scan.accuracy (
    category    text not null,  -- the three levels, joined by "/"
    tenth       smallint not null,
    provider    text not null,
    model       text not null,
    shard       smallint not null,
    answered    bigint not null default 0,
    corrected   bigint not null default 0,
    confirmed   bigint not null default 0,
    primary key (category, tenth, provider, model, shard)
) with (fillfactor = 50);

-- What users said that their photos show, who let us learn from it. Goes with its scan.
create table scan.label (
    scan_id       uuid primary key references scan.scan (id) on delete cascade,
    user_id       text not null,
    photo_digest  text not null,
    seen          text not null,  -- what the classifier said, as in scan.accuracy
    confidence    real,
    provider      text not null,
    model         text not null,
    verdict       text not null,
    said          text,           -- what the user said; null if only that it is wrong
    at            timestamptz not null default now()
);

-- What the classifier said, of a scan's classification: the user's words may have changed it since.
create function scan.sighting(classification jsonb) returns jsonb language sql immutable as $$
    select case when jsonb_typeof(classification -> 'seen') = 'object' then classification -> 'seen' else classification end
$$;

-- A category as text.
create function scan.category(category jsonb) returns text language sql immutable as $$
    select concat_ws('/', nullif(category ->> 'major', ''), nullif(category ->> 'middle', ''), nullif(category ->> 'minor', ''))
$$;

-- The tenth that a confidence is in, 0 to 9. Confidences have passed through 32-bit floats, so 0.9 is a bit less.
create function scan.tenth(sighting jsonb) returns smallint language sql immutable as $$
    select least(9, greatest(0, floor(round(coalesce((sighting ->> 'confidence')::numeric, 0), 4) * 10)))::smallint
$$;

-- Counts what a reply says of a classification, instead of what the scan's last reply said of it, and keeps it as a label
-- if it may. Call it from the statement that stores the reply, so that both are one commit, and use its result:
-- PostgreSQL runs no part of a query that nobody reads.
create function scan.judge(
    of_scan uuid, of_user text, classification jsonb, said jsonb, verdict text, before text, may_learn boolean
) returns void language sql as $$
    insert into scan.accuracy as a (category, tenth, provider, model, shard, corrected, confirmed)
    select scan.category(seen -> 'category'), scan.tenth(seen), coalesce(seen ->> 'provider', ''),
           coalesce(seen ->> 'model', ''), pg_backend_pid() % 16,
           (verdict in ('CORRECTED', 'DENIED'))::int - coalesce((before in ('CORRECTED', 'DENIED'))::int, 0),
           (verdict = 'CONFIRMED')::int - coalesce((before = 'CONFIRMED')::int, 0)
    from scan.sighting(classification) as seen
    on conflict (category, tenth, provider, model, shard) do update
    set corrected = a.corrected + excluded.corrected, confirmed = a.confirmed + excluded.confirmed;

    -- What was said before is no truth any more.
    delete from scan.label l where l.scan_id = of_scan;

    insert into scan.label (scan_id, user_id, photo_digest, seen, confidence, provider, model, verdict, said)
    select of_scan, of_user, coalesce(classification ->> 'photo_digest', ''), scan.category(seen -> 'category'),
           (seen ->> 'confidence')::real, coalesce(seen ->> 'provider', ''), coalesce(seen ->> 'model', ''), verdict,
           case when verdict <> 'DENIED' then scan.category(said -> 'category') end
    from scan.sighting(classification) as seen
    where may_learn;
$$;
