-- The code of the building that the user has joined; empty if they sent none.
alter table scan.scan add column building text default '' not null;

create or replace view scan.scan_detail as
select
    s.id, s.user_id, s.image_url, s.object_key, s.content_type, s.size_bytes, s.sha256, s.user_input, s.latitude,
    s.longitude, s.region, s.locale, s.created_at, s.started_at, s.finished_at, s.error,
    case j.state when 'LEASED' then 'RUNNING' else s.state end as state,
    case when j.state in ('READY', 'LEASED') then j.version else s.version end as version,
    case when j.state in ('READY', 'LEASED') then j.percent else s.percent end as percent,
    case when j.state in ('READY', 'LEASED') then j.step else s.step end as step,
    coalesce(s.outputs, (select jsonb_object_agg(r.stage, r.output) from scan.stage_result r where r.job_id = j.id))
        ::text as outputs,
    coalesce(s.stages, (select jsonb_agg(r.run order by r.finished_at) from scan.stage_result r where r.job_id = j.id))
        ::text as stages,
    j.state is not distinct from 'LEASED' and not coalesce(w.stores_progress, false) as behind,
    s.building
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id
left join scan.worker w on w.id = j.worker_id and j.state = 'LEASED';
