-- A page of what operators did, newest first, without the payments that were confirmed or released (see the index actions_but_payments).
-- $1 before this action (bigint), or null, $2 at most (int)
select id::text as id, at, who, address, method, path, what, status
from actions
where ($1::bigint is null or id < $1::bigint) and path !~ '/(confirm|release)$'
order by id desc
limit $2
