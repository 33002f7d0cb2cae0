-- Makes the months of the logs that will be written to next.
select scan.make_months()
