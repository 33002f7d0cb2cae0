-- Where an import puts its rows first. Gone with the transaction.
create temp table staged (
    line integer not null,
    key text not null,
    kind text not null,
    name_ko text not null,
    name_en text not null,
    address text not null,
    location point not null,
    materials text[] not null,
    opening_hours_ko text not null,
    opening_hours_en text not null,
    hours text not null,
    phone text not null,
    -- the row it is merged into; its own line if it stands for itself
    leader integer,
    -- its key belongs to another place already
    clashes boolean not null default false
) on commit drop;
