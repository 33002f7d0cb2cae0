delete from scan.webhook_endpoint where user_id = $1
