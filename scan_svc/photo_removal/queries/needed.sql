-- Of these scans those that need their upload: it is to be started, or is to be looked at (again).
select s.id from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id
where s.id = any ($1::uuid[])
  and (s.state = 'AWAITING_UPLOAD' or j.stage = 'vision' and j.state in ('READY', 'LEASED', 'DEAD'))
