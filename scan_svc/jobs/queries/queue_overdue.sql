-- What waits for long by its nature: how many seconds the oldest undelivered webhook, tries included; how many photos
-- that are due for removal.
select
    (
        select coalesce(extract(epoch from now() - min(w.queued_at)), 0)::float8
        from scan.job j join scan.webhook w on w.id = j.ref
        where j.kind = 'webhook' and j.state in ('READY', 'LEASED')
    ) as oldest_webhook,
    (select count(*) from scan.photo_removal where due_at <= now()) as photos
