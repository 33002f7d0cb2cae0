-- Deletes what somebody's buildings say, and who managed them, at once.
-- $1 manager
update rules.building
set says = null, manager = '', version = version + case when says is null then 0 else 1 end,
    updated_at = case when says is null then updated_at else clock_timestamp() end
where manager = $1
returning code
