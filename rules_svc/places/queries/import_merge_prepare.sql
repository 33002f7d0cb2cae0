-- Which row each staged row is merged into; null: its key belongs to another place.
create temp table merged (line integer primary key, leader integer) on commit drop;
