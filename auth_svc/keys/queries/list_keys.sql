-- All keys, the oldest first.
select public_jwk, sealed, signs_at from auth.signing_key order by signs_at;
