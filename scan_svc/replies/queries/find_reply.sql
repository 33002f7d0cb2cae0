-- A reply that was made before under this request_id; nothing if there was none.
select reply, understood, message from scan.reply where scan_id = $1 and request_id = $2
