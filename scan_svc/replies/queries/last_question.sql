-- The question that counts since the last reply that was understood; nothing if none was.
select question from scan.reply where scan_id = $1 and understood order by id desc limit 1
