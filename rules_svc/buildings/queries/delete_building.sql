-- Deletes what a building says; no row if it isn't the manager's, or has another version ($3, any if null). Who managed it
-- is known until a day after its creation, by which the number of creations is limited.
update rules.building
set says = null, version = version + 1, updated_at = clock_timestamp(),
    manager = case when created_at > now() - interval '1 day' then manager else '' end
where code = $1 and manager = $2 and version = coalesce($3, version) and says is not null
returning code
