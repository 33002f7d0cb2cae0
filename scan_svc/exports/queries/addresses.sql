-- Where a user wants to be told; the secret is the receiver's.
select url, created_at from scan.webhook_endpoint where user_id = $1 order by created_at, url
