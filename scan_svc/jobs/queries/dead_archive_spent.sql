-- Dead letters that were replayed often enough wait for a person now; and so does a row of a batch whose sheet is written, or
-- that was cancelled or deleted: nobody would be shown what its replay is paid for.
update scan.job j set state = 'ARCHIVED'
where j.state = 'DEAD' and (
    j.replays >= $1
    and (j.kind in ('scan', 'reward') or exists (select from scan.client_job c where c.kind = j.kind and c.id = j.ref))
    or j.kind = 'scan' and exists (
        select from scan.scan s left join scan.client_job c on c.id = s.client_job_id
        where s.id = j.ref and s.hidden and (c.id is null or c.state in ('SUCCEEDED', 'CANCELLED'))))
returning j.id
