delete from scan.worker where id = $1
