-- A user's client jobs of a kind that haven't ended.
select count(*) from scan.client_job where user_id = $1 and kind = $2 and finished_at is null
