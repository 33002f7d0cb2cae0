-- $1 kids
delete from auth.signing_key where kid = any($1::text[]);
