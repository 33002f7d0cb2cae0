-- Webhooks with what was tried, the last $2 tries each; oldest first.
select w.id, w.scan_id, w.event, w.created_at, s.callback_url as url,
       case
           when j.state in ('READY', 'LEASED') then 'PENDING'
           when j.state is not null then 'EXHAUSTED'
           when exists (select from scan.webhook_attempt a
                        where a.webhook_id = w.id and a.at >= w.created_at and a.error = '') then 'DELIVERED'
           else 'STOPPED'
       end as state,
       case when j.state in ('READY', 'LEASED') then j.run_at end as next_at,
       (select jsonb_agg(to_jsonb(a) order by a.at)
        from (select attempt as number, at, status, error, duration_ms from scan.webhook_attempt
              where webhook_id = w.id and at >= w.created_at order by at desc limit $2) a)::text as attempts
from scan.webhook w
join scan.scan s on s.id = w.scan_id
left join scan.job j on j.kind = 'webhook' and j.ref = w.id
where w.id = any ($1::uuid[])
order by w.created_at, w.id
