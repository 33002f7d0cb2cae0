-- How many scans a user has that were made from $2 on and before $3, either of which may be null; with those that only a
-- job shows if $4.
select count(*) from scan.scan
where user_id = $1 and created_at >= coalesce($2, '-infinity'::timestamptz)
  and created_at < coalesce($3, 'infinity'::timestamptz) and ($4 or not hidden)
