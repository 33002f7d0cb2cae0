-- Gives somebody's buildings to another manager, who may have more than they may create by that.
-- $1 from, $2 to
update rules.building set manager = $2 where manager = $1
