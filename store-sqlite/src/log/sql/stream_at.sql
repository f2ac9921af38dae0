-- stream_at.sql: id and last version of the stream named ?1
SELECT s.id, (SELECT l.version FROM log l WHERE l.stream = s.id ORDER BY l.version DESC LIMIT 1)
FROM streams s WHERE s.name = ?1
