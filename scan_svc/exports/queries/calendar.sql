-- What a user's calendar tells; its address is a secret, and isn't kept.
select region, building, locale, created_at from scan.calendar where user_id = $1
