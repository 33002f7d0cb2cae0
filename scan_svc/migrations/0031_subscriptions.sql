-- Where users want to be reminded: in a browser, or at an address of theirs. A webhook's secret is its endpoint's.
create table scan.subscription (
    id          uuid primary key default uuidv7(),
    user_id     text not null,
    channel     text not null check (channel in ('PUSH', 'WEBHOOK')),
    address     text not null,
    receiver    bytea not null,  -- of a browser its public key; empty of a webhook
    auth        bytea not null,  -- of a browser its secret; empty of a webhook
    created_at  timestamptz not null default now(),
    unique (user_id, channel, address)
);

create index subscription_address on scan.subscription (address);
