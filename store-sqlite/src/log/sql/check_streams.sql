-- check_streams.sql: streams that are not known by the position of their first event
SELECT s.name, s.id FROM streams s
WHERE NOT EXISTS (SELECT 1 FROM log l WHERE l.position = s.id AND l.stream = s.id AND l.version = 1)
