-- A dead letter goes on from the stage that failed, with fresh attempts and a fresh clock.
with replayed as (
    update scan.job
    set state = 'READY', attempt = 0, crashes = 0, replays = replays + 1, token = token + 1, run_at = now()
    where kind = 'scan' and ref = $1 and state = 'DEAD'
    returning ref, token, stage, pg_notify('scan_ready', '')
)
update scan.scan s
set state = 'QUEUED', step = 'queue', version = replayed.token * 10000, error = null, finished_at = null,
    started_at = now()
from replayed where s.id = replayed.ref
returning replayed.stage
