select * from scan.scan_detail where id = any ($1::uuid[])
