select count(*)::integer from scan.comparison_scan where comparison_id = $1
