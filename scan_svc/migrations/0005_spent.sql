-- What failed tries of the stage a job is at have cost: a model is paid for answers that couldn't be used, too.
alter table scan.job add column spent jsonb;
