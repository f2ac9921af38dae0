-- one_told.sql: behind append_one.sql and append_first.sql: other processes are told
RETURNING pg_notify('annals_' || '{schema}.log'::regclass::oid, position::text)::text
