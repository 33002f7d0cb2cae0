select count(*) filter (where outcome = 'COMPARED')::integer as compared,
       count(*) filter (where outcome = 'SKIPPED')::integer as skipped,
       count(*) filter (where outcome = 'FAILED')::integer as failed,
       coalesce(sum(after_cost_micro_usd), 0)::bigint as cost_micro_usd
from scan.comparison_scan where comparison_id = $1
