-- What is to be replayed next by itself: longest dead first, and scans before client jobs, whose users don't sit and wait,
-- before rewards, whose users have their answer. Scans that somebody waits for come before those of batches, of which an
-- outage leaves thousands.
select j.ref from scan.job j
where j.state = 'DEAD' and j.replays < $1
  and (j.kind in ('scan', 'reward') or exists (select from scan.client_job c where c.kind = j.kind and c.id = j.ref))
order by case j.kind when 'scan' then 0 when 'reward' then 2 else 1 end, j.priority desc, j.run_at, j.id
limit $2
