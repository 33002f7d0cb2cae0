-- Drops the months of the logs that ended more than $1 days ago.
select scan.drop_months($1)
