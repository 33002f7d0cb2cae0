select * from scan.scan_detail where id = $1
