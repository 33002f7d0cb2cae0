select id, user_id, region, building, locale, created_at from scan.calendar where digest = $1
