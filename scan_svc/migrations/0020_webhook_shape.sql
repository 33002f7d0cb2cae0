-- In which shape a scan's webhook is sent: as a scan, or as a task to who created it on an older client's path.
alter table scan.scan add column webhook_shape text default 'SCAN' not null;
