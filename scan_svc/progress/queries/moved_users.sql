-- Users whose scans have become another one's while Redis may still show them as theirs.
select from_user, to_user from scan.moved_user
