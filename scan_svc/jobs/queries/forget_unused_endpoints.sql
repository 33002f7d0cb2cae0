-- $1 user_ids, $2 addresses
delete from scan.webhook_endpoint e
using unnest($1::text[], $2::text[]) as unused (user_id, url)
where e.user_id = unused.user_id and e.url = unused.url
  and not exists (select from scan.scan s where s.user_id = e.user_id and s.callback_url = e.url)
  and not exists (select from scan.subscription s
                  where s.user_id = e.user_id and s.address = e.url and s.channel = 'WEBHOOK')
