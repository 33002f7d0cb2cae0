-- Removes an endpoint, with its secret, once neither a scan nor a reminder is to be told there.
delete from scan.webhook_endpoint e
where e.user_id = $1 and e.url = $2
  and not exists (select from scan.scan s where s.user_id = e.user_id and s.callback_url = e.url)
  and not exists (select from scan.subscription s
                  where s.user_id = e.user_id and s.address = e.url and s.channel = 'WEBHOOK')
