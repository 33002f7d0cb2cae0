-- The end of a lease on doing something, for the one caller that has it now: whoever held it last, by the end it was
-- given then, or anybody once that is over.
insert into scan.periodic (name, next_at) values ($1, now() + make_interval(secs => $2))
on conflict (name) do update set next_at = now() + make_interval(secs => $2)
where periodic.next_at <= now() or periodic.next_at = $3
returning next_at
