-- check_versions.sql: the log by stream; the index of versions alone answers it
SELECT stream, version, position FROM log ORDER BY stream, version
