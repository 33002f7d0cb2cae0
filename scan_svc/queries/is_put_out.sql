select exists (select from scan.put_out where scan_id = $1)
