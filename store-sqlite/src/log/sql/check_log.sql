-- check_log.sql: the log in order, without what the events say
SELECT position, commit_index, commit_size, recorded_at FROM log ORDER BY position
