-- A browser is of whoever is signed in there: who was before isn't reminded on it any more.
delete from scan.subscription where address = $2 and channel = 'PUSH' and user_id <> $1
