-- What a retired sale has sold is counted once, so that a listing costs the same after a year as after a day.
alter table sales add column sold integer check (sold >= 0);
update sales set sold = (select count(*) from purchases p where p.sale_id = sales.id) where retired;
create index sales_by_start on sales (starts_at desc, id desc);
