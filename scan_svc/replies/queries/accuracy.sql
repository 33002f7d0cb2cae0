-- How often each class was answered and what users said of it; of one classifier, or of all. Without those that were
-- answered less than $2 times.
select provider, model, category, tenth, sum(answered)::bigint as answered, sum(corrected)::bigint as corrected,
       sum(confirmed)::bigint as confirmed
from scan.accuracy
where $1 = '' or provider = $1
group by provider, model, category, tenth
having sum(answered) >= $2
order by provider, model, category, tenth
