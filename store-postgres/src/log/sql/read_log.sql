-- read_log.sql: $1 after this position, $2 through this position, $3 limit, $4 only of these types or null for all,
-- $5 only streams whose names begin with this. Names are not joined to it: the plan must not depend on what the server
-- believes of two tables (see Plans).
SELECT l.position, l.version, l.recorded_at, l.event_id, l.type, l.commit_index, l.commit_size, l.format, l.metadata,
       l.payload, l.stream, (SELECT h.position FROM {schema}.log h ORDER BY h.position DESC LIMIT 1)
FROM {schema}.log l
WHERE l.position > $1 AND l.position <= $2 AND ($4::integer[] IS NULL OR l.type = ANY ($4))
  AND ($5 = '' OR starts_with((SELECT s.name FROM {schema}.streams s WHERE s.id = l.stream), $5))
ORDER BY l.position LIMIT $3
