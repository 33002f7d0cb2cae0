-- What a comparison has found so far: of one row each, over the scans that are still there.
with looked_at as (
    select *, scan.middle_of(before_category) as middle_before, scan.middle_of(after_category) as middle_after,
           truth <> '' as known, scan.middle_of(before_category) = scan.middle_of(truth) as right_before,
           scan.middle_of(after_category) = scan.middle_of(truth) as right_after,
           before_confidence is not null and after_confidence is not null as confident
    from scan.comparison_scan where comparison_id = $1 and outcome is not null
), pairs as (
    select * from looked_at where outcome = 'COMPARED'
), reasons as (
    select outcome, reason, count(*) as count from looked_at where outcome <> 'COMPARED' group by 1, 2
), differences as (
    select difference, count(*) as count from pairs, unnest(differs) as difference group by 1
)
select
    count(*)::integer as compared,
    (select jsonb_object_agg(reason, count) from reasons where outcome = 'SKIPPED')::text as skipped,
    (select jsonb_object_agg(reason, count) from reasons where outcome = 'FAILED')::text as failed,
    (select jsonb_object_agg(difference, count) from differences)::text as differs,
    count(*) filter (where split_part(before_category, '/', 1) = split_part(after_category, '/', 1))::integer as same_major,
    count(*) filter (where middle_before = middle_after)::integer as same_middle,
    count(*) filter (where before_category = after_category)::integer as same_category,
    (avg(before_confidence) filter (where confident))::float8 as confidence_before,
    (avg(after_confidence) filter (where confident))::float8 as confidence_after,
    count(*) filter (where denied)::integer as denied,
    count(*) filter (where denied and middle_before <> middle_after)::integer as denied_changed,
    count(*) filter (where known)::integer as known,
    count(*) filter (where known and right_before)::integer as right_before,
    count(*) filter (where known and right_after)::integer as right_after,
    count(*) filter (where known and right_before and not right_after)::integer as only_before,
    count(*) filter (where known and right_after and not right_before)::integer as only_after,
    count(before_cost_micro_usd)::integer as paid_before,
    avg(before_cost_micro_usd)::float8 as cost_before,
    count(before_ms)::integer as timed_before,
    percentile_cont(0.5) within group (order by before_ms) as p50_before,
    percentile_cont(0.95) within group (order by before_ms) as p95_before,
    count(after_cost_micro_usd)::integer as paid_after,
    avg(after_cost_micro_usd)::float8 as cost_after,
    count(after_ms)::integer as timed_after,
    percentile_cont(0.5) within group (order by after_ms) as p50_after,
    percentile_cont(0.95) within group (order by after_ms) as p95_after
from pairs
