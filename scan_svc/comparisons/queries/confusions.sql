-- Which category became which, to the middle level.
select scan.middle_of(before_category) as before, scan.middle_of(after_category) as after, count(*)::integer as count
from scan.comparison_scan
where comparison_id = $1 and outcome = 'COMPARED' and scan.middle_of(before_category) <> scan.middle_of(after_category)
group by 1, 2
order by count desc, 1, 2
limit $2
