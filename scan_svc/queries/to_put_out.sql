-- What a user may still have at home: ids sort by creation, so the history's index finds them.
select d.*
from scan.scan_detail d
where d.user_id = $1 and d.id >= $2 and d.state = 'SUCCEEDED' and not d.hidden
  and not exists (select from scan.put_out p where p.scan_id = d.id)
order by d.id desc
limit $3
