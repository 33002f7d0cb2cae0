-- Replaces what a building says; no row if it isn't the manager's, or has another version.
update rules.building
set region = $4, says = $5::jsonb, version = version + 1, updated_at = clock_timestamp()
where code = $1 and manager = $2 and version = $3 and says is not null
returning code, manager, region, says::text, version, updated_at
