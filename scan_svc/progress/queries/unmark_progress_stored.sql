-- From now on readers may have seen more than is stored.
update scan.worker set stores_progress = false where id = any ($1::bigint[])
