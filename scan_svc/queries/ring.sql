select pg_notify('scan_ready', '')
