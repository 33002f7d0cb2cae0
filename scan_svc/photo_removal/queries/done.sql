-- Photos were removed. Who was at work on a scan as it ended may have stored a copy since, so each is removed once more
-- when $2 seconds have passed since then.
with again as (
    update scan.photo_removal set due_at = ended_at + make_interval(secs => $2), attempts = 0
    where scan_id = any ($1::uuid[]) and ended_at > now() - make_interval(secs => $2)
)
delete from scan.photo_removal where scan_id = any ($1::uuid[]) and ended_at <= now() - make_interval(secs => $2)
