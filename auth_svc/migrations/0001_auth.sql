-- Who users are. An account without an identity is a guest's.
create table auth.account (
    user_id     text        primary key,
    created_at  timestamptz not null default now()
);

-- One signed-in device or browser. Of its refresh tokens only digests are kept: of the one that is good, and of the one
-- before it, which may come again when a reply was lost. Any other that names this session was used before.
create table auth.session (
    session_id       uuid        primary key,
    user_id          text        not null references auth.account (user_id) on delete cascade,
    digest           bytea       not null,
    previous_digest  bytea,
    created_at       timestamptz not null default now(),
    rotated_at       timestamptz,
    expires_at       timestamptz not null,
    ends_at          timestamptz not null  -- whatever is refreshed
) with (fillfactor = 70);

create index session_of_user on auth.session (user_id);
create index session_expired on auth.session (expires_at);

-- Keys that sign access tokens. Each signs from its signs_at until its successor's, and is published before and after.
create table auth.signing_key (
    kid         text        primary key,
    public_jwk  text        not null,
    sealed      bytea       not null,  -- the private key in PEM, encrypted
    created_at  timestamptz not null default now(),
    signs_at    timestamptz not null
);
