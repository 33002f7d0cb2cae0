-- Who managed a building that is deleted is forgotten a day after its creation.
update rules.building set manager = '' where says is null and manager <> '' and created_at <= now() - interval '1 day'
