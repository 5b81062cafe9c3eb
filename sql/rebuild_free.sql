-- Units that nobody holds, among some of these items.
-- $1 sale id (text), $2 items (text[]), $3 from these units (int[]), $4 below these (int[])
select span.id, free.unit
from unnest($2::text[], $3::int[], $4::int[]) as span (id, first, below), generate_series(first, below - 1) as free (unit)
where not exists (select from purchases p where p.sale_id = $1 and p.item_id = span.id and p.unit = free.unit)
