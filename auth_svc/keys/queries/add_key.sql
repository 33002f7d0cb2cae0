-- $1 kid, $2 public_jwk, $3 sealed, $4 signs_at
insert into auth.signing_key (kid, public_jwk, sealed, signs_at) values ($1, $2, $3, $4);
