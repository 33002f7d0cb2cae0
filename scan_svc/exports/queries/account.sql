select account from scan.export where job_id = $1
