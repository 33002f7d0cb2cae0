-- Scans that were looked at, in the sample's order; with $4 only those that differ.
select * from scan.comparison_scan
where comparison_id = $1 and position > $2 and outcome is not null and (not $4 or cardinality(differs) > 0)
order by position
limit $3
