-- Comparisons: past scans once more by another model or rule book. A comparison is a client job; this is its sample.

-- One row for each scan of the sample. Nothing in it is personal, and it goes with its scan all the same.
create table scan.comparison_scan (
    comparison_id          uuid not null references scan.client_job (id) on delete cascade,
    position               integer not null,  -- the order of the sample
    scan_id                uuid not null references scan.scan (id) on delete cascade,
    outcome                text,  -- null: still to be looked at; then COMPARED, SKIPPED or FAILED, and stays so
    reason                 text not null default '',
    -- As it was, and as it would be. A category's levels are joined by "/".
    before_category        text,
    before_confidence      real,
    before_rule_ids        text[],
    before_container       text,
    before_cost_micro_usd  bigint,  -- null: nothing was paid
    before_ms              integer,
    after_category         text,
    after_confidence       real,
    after_rule_ids         text[],
    after_container        text,
    after_cost_micro_usd   bigint,
    after_ms               integer,
    differs                text[] not null default '{}',
    truth                  text not null default '',  -- what its user says it is; empty: they don't say
    denied                 boolean not null default false,
    primary key (comparison_id, position)
);

create index comparison_scan_of_scan on scan.comparison_scan (scan_id);

-- A category to its middle level: rules and bags go by that.
create function scan.middle_of(category text) returns text language sql immutable as $$
    select array_to_string((string_to_array(category, '/'))[1:2], '/')
$$;
