-- The number of the last return of each sale that may still have keys in Redis, and has any.
select sale_id, last from return_counts c join sales s on s.id = c.sale_id where not s.retired
