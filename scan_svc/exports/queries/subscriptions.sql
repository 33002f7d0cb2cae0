-- Where a user is reminded. A browser's keys are its own.
select channel, address, created_at from scan.subscription where user_id = $1 order by created_at, id
