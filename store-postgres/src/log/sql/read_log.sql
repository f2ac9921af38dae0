-- read_log.sql: $1 after this position, $2 through this position, $3 limit, $4 only of these types or null for all,
-- $5 only streams whose names begin with this
SELECT l.position, l.version, l.recorded_at, l.event_id, l.type, l.commit_index, l.commit_size, l.format, l.metadata,
       l.payload, s.name, l.stream,
       (SELECT h.position FROM {schema}.log h ORDER BY h.position DESC LIMIT 1)
FROM {schema}.log l JOIN {schema}.streams s ON s.id = l.stream
WHERE l.position > $1 AND l.position <= $2 AND ($4::integer[] IS NULL OR l.type = ANY ($4))
  AND ($5 = '' OR starts_with(s.name, $5))
ORDER BY l.position LIMIT $3
