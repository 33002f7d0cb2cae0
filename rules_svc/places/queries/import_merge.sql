-- Merges staged rows of one kind that are within 50 m of each other, and marks a key that is used for two places.
--
-- By key, not by line, so that the order of the file doesn't matter. Leaders are more than 50 m apart, so a row never
-- meets more than a few of them: it costs the same however many rows lie in one spot.
do $$
declare
    candidate record;
    nearest integer;
begin
    create temp table leader (line integer, key text primary key, kind text, location point) on commit drop;
    create index on leader using gist (location);
    for candidate in select line, key, kind, location from staged order by key, line loop
        select leader.line into nearest
        from leader
        where leader.location <@ rules.box_around(candidate.location, 50)
            and leader.kind = candidate.kind
            and rules.great_circle_meters(leader.location, candidate.location) <= 50
        order by leader.key
        limit 1;
        if nearest is not null then
            insert into merged (line, leader) values (candidate.line, nearest);
        else
            insert into leader values (candidate.line, candidate.key, candidate.kind, candidate.location)
            on conflict (key) do nothing;
            insert into merged (line, leader)
            select candidate.line, case when leader.line = candidate.line then candidate.line end
            from leader
            where leader.key = candidate.key;
        end if;
    end loop;
end;
$$;
