-- What replies have cost, by day: a scan's own books say what, but not when. Kept for two days.
create table scan.reply_cost (
    at         timestamptz not null default now(),
    user_id    text not null,
    micro_usd  bigint not null
);

create index reply_cost_at on scan.reply_cost (at);
