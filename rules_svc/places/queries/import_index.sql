-- Lets the next statements find what is given.
create unique index on given (place_id);
analyze given;
