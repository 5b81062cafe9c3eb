-- A shop's program says of thousands of payments that they came or failed; whoever asks what people did reads past them.
create index actions_but_payments on actions (id) where path !~ '/(confirm|release)$';
