-- Whether a lease is still good.
select exists (select from scan.job where id = $1 and token = $2)
