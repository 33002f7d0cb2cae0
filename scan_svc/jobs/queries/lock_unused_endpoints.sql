-- Endpoints that neither a scan nor a reminder is to be told at, any more or for an hour: of a creation that was refused. Locked, so that a
-- scan that is being created for one is seen by the next statement.
select user_id, url
from scan.webhook_endpoint e
where e.created_at < now() - interval '1 hour'
  and not exists (select from scan.scan s where s.user_id = e.user_id and s.callback_url = e.url)
  and not exists (select from scan.subscription s
                  where s.user_id = e.user_id and s.address = e.url and s.channel = 'WEBHOOK')
limit $1
for update skip locked
