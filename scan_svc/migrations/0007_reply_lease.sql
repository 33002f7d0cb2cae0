-- One reply at work per scan, in all processes: whoever holds the row may pay for it. The row goes with the reply that is
-- stored; one without a holder keeps what a failed try has paid for.
create sequence scan.reply_token;

create table scan.reply_lease (
    scan_id       uuid primary key references scan.scan (id) on delete cascade,
    token         bigint not null default nextval('scan.reply_token'),  -- fencing: another one for each holder
    request_id    text,
    reply         text not null,
    attempt       smallint not null default 1,
    expires_at    timestamptz,  -- its holder renews it; null: nobody holds it
    contested_at  timestamptz,  -- since when somebody has wanted it after it expired
    draft         jsonb         -- what was paid for, if what came after that failed
);

-- By which lease it was stored: the answer to a commit whose outcome was lost.
alter table scan.reply add column token bigint;
