update scan.client_job set file_key = '', file_bytes = 0, version = version + 1 where id = $1 returning id
