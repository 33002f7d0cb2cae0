-- Scans that are still to be compared, with what their users have said last of the classification.
-- $1 comparison, $2 position before, $3 how many
select c.position, c.scan_id, (
    select r.verdict from scan.reply r where r.scan_id = c.scan_id and r.verdict is not null order by r.id desc limit 1
) as verdict
from scan.comparison_scan c
where c.comparison_id = $1 and c.position > $2 and c.outcome is null
order by c.position
limit $3
