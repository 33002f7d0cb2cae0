-- What replies have cost is asked for on the same day only.
delete from scan.reply_cost where at < now() - interval '2 days'
