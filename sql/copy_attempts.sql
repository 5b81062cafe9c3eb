-- Appends a segment to the attempt log; its bytes are COPY's own text format, as src/store/attempts/spool.ts writes it.
copy checkout_attempts (at, worker, sale_id, user_id, item_id, outcome, code, request_id) from stdin
