-- Units of an item that nobody holds, among some.
-- $1 sale id (text), $2 item (text), $3 from unit (int), $4 below unit (int)
select unit from generate_series($3::int, $4::int - 1) as unit
where not exists (select from purchases p where p.sale_id = $1 and p.item_id = $2 and p.unit >= $3 and p.unit < $4 and p.unit = unit.unit)
