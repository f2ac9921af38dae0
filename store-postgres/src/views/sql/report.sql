-- report.sql: why a subscriber cannot go on, or null. $1 generation id, $2 why
UPDATE {schema}.generations SET failure = $2, failed_at = CASE WHEN $2 IS NOT NULL THEN clock_timestamp() END
WHERE id = $1
