-- Who users are at providers. A user may have several; each is one user's.
create table auth.identity (
    provider      text        not null,
    subject       text        not null,
    user_id       text        not null references auth.account (user_id) on delete cascade,
    name          text        not null default '',
    created_at    timestamptz not null default now(),
    signed_in_at  timestamptz not null default now(),
    primary key (provider, subject)
);

create index identity_of_user on auth.identity (user_id);
