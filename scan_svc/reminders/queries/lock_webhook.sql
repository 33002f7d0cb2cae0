-- Waits for scans that are being created for an endpoint: they are seen by the next statement.
select url from scan.webhook_endpoint where user_id = $1 and url = $2 for update
