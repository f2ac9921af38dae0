-- ready.sql: what the writer needs to know: the position of the last event, when the server was started, whether it may
-- insert past the functions
SELECT coalesce((SELECT l.position FROM {schema}.log l ORDER BY l.position DESC LIMIT 1), 0),
       pg_postmaster_start_time(), has_table_privilege('{schema}.log', 'INSERT')
