-- Scans whose waste was put out: they are left out of what can go out this evening.
create table scan.put_out (
    scan_id  uuid primary key references scan.scan (id) on delete cascade,
    at       timestamptz not null default now()
);
