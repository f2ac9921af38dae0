-- stream_name.sql: ?1 id
SELECT name FROM streams WHERE id = ?1
