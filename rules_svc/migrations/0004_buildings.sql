-- Houses with days and a place of their own. Whoever knows the code reads one, its manager alone changes it. A deleted one
-- keeps its code, which nobody else is to get, and its district, for those who joined it.
create table rules.building (
    code        text primary key,
    -- of a deleted one empty, a day after it was created
    manager     text not null,
    -- code of the district
    region      text not null,
    -- what the manager says, a HouseRules; null once deleted
    says        jsonb,
    version     integer not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);

create index building_manager on rules.building (manager, created_at);
create index building_deleted on rules.building (created_at) where says is null and manager <> '';
