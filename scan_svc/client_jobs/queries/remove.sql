-- Removes a client job; a trigger removes its job. What the looks at a clip cost that never became a scan stays, for billing.
with gone as (
    delete from scan.client_job where id = $1 returning id, user_id, kind, state, cost_micro_usd, created_at
), paid as (
    insert into scan.tombstone (scan_id, user_id, created_at, usage)
    select id, user_id, created_at, jsonb_build_array(jsonb_build_object(
        'stage', 'vision', 'attempts', 1, 'duration_ms', 0, 'usage', jsonb_build_object(
            'model', '', 'calls', 0, 'input_tokens', 0, 'output_tokens', 0, 'cost_micro_usd', cost_micro_usd)))
    from gone
    where kind = 'video' and state <> 'SUCCEEDED' and cost_micro_usd > 0
      and not exists (select from scan.scan s where s.client_job_id = gone.id)
    on conflict do nothing
)
select id from gone
