-- read_log_named.sql: as read_log.sql, with the name of each event's stream: for a page of few events
SELECT l.*, (SELECT s.name FROM {schema}.streams s WHERE s.id = l.stream)
FROM (SELECT l.position, l.version, l.recorded_at, l.event_id, l.type, l.commit_index, l.commit_size, l.format,
             l.metadata, l.payload, l.stream,
             (SELECT h.position FROM {schema}.log h ORDER BY h.position DESC LIMIT 1) AS head
      FROM {schema}.log l
      WHERE l.position > $1 AND l.position <= $2 AND ($4::integer[] IS NULL OR l.type = ANY ($4))
        AND ($5 = '' OR starts_with((SELECT s.name FROM {schema}.streams s WHERE s.id = l.stream), $5))
      ORDER BY l.position LIMIT $3) l
ORDER BY l.position
