-- Has dead events sent again, one or all; those that wait are due at once.
-- $1 id (text), or null for all
-- returns the number of dead ones that live again
with revived as (
  update webhooks_waiting set dead = false, tries = 0, first_at = null, next_at = now()
  where dead and ($1::text is null or id = $1)
  returning id
), hurried as (
  update webhooks_waiting set next_at = now() where not dead and next_at > now()
)
select count(*)::int as revived from revived
