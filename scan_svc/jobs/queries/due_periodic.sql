-- True for the one caller that may run the task now.
insert into scan.periodic (name, next_at) values ($1, now() + make_interval(secs => $2))
on conflict (name) do update set next_at = now() + make_interval(secs => $2) where periodic.next_at <= now()
returning name
