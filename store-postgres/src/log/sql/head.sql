-- head.sql: the position of the last event, how many event types there are, and when the server was started
SELECT coalesce((SELECT l.position FROM {schema}.log l ORDER BY l.position DESC LIMIT 1), 0),
       (SELECT count(*) FROM {schema}.types), pg_postmaster_start_time()
