-- What a reply has cost without an effect: kept with the scan, or with what a deleted one left for billing.
with recorded as (
    update scan.scan set stages = coalesce(stages, '[]'::jsonb) || $2::jsonb, version = version + 1
    where id = $1
    returning user_id
), left_behind as (
    update scan.tombstone set usage = usage || $2::jsonb
    where scan_id = $1 and not exists (select from recorded)
    returning user_id
)
insert into scan.reply_cost (user_id, micro_usd)
select user_id, ($2::jsonb #>> '{0,usage,cost_micro_usd}')::bigint
from (table recorded union all table left_behind) as whose
