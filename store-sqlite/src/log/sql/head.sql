-- head.sql: the last event of the log
SELECT position, recorded_at FROM log ORDER BY position DESC LIMIT 1
