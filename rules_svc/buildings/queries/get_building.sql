select code, manager, region, says::text, version, updated_at from rules.building where code = $1
