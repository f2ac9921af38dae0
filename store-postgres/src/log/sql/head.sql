-- head.sql: the position of the last event, and how many event types there are
SELECT coalesce((SELECT l.position FROM {schema}.log l ORDER BY l.position DESC LIMIT 1), 0),
       (SELECT count(*) FROM {schema}.types)
