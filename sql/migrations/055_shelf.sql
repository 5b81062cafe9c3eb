-- What is left of each item: the units that no committed purchase holds. A view costs nothing: it becomes a part of the statement that reads it.
-- Each item looks its purchases up by key: joined, a plan made while purchases was small compares every item with every purchase of the
-- sale. A unique item looks for one row; one with a stock counts its rows.
create view shelf as
select sale_id, position, id, name, image_url, price, data, stock,
  case stock
    when 1 then ((select true from purchases p where p.sale_id = items.sale_id and p.item_id = items.id and p.unit = 0) is null)::int
    else stock - (select count(*) from purchases p where p.sale_id = items.sale_id and p.item_id = items.id)::int
  end as "left"
from items;
