-- Client jobs whose file never came.
update scan.client_job set state = 'EXPIRED', finished_at = now(), version = version + 1
where state = 'AWAITING_UPLOAD' and created_at < now() - make_interval(secs => $1)
returning id
