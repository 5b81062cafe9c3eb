-- What shops keep with their sales and items. Rows of before have none of it, so that nothing is read to check them.

alter table sales add column currency text, add column name text;
alter table sales add constraint sales_currency check (currency ~ '^[A-Z]{3}$') not valid;

-- The price is in minor units of the sale's currency; the data is an object of the shop's own, given back as it is.
alter table items add column price bigint, add column data json;
alter table items add constraint items_price check (price between 0 and 1000000000000) not valid;
alter table items add constraint items_data check (octet_length(data::text) <= 1024) not valid;
