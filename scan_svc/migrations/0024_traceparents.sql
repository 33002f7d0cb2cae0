-- The call that created a scan, as W3C's traceparent: all that is done for it later belongs to its trace, webhooks and
-- replies included, whose scan has no job any more. Empty: it was created before, or by nobody who traces.
alter table scan.scan add column traceparent text default '' not null;
