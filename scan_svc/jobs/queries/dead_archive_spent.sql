-- Dead letters that were replayed often enough wait for a person now.
update scan.job j set state = 'ARCHIVED'
where j.state = 'DEAD' and j.replays >= $1
  and (j.kind in ('scan', 'reward') or exists (select from scan.client_job c where c.kind = j.kind and c.id = j.ref))
returning j.id
