-- A clip's frames are about to be stored as a scan's photos. If no scan needs them when this is due, they are removed.
insert into scan.photo_removal (scan_id, object_key, image_url, due_at)
values ($1, $2, $3, now() + make_interval(secs => $4))
on conflict (scan_id) do nothing
