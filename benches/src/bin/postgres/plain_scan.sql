-- plain_scan.sql: the whole log
SELECT l.position, l.version, l.recorded_at, l.event_id, l.type, l.commit_index, l.commit_size, l.metadata, l.payload,
       s.name
FROM read.log l JOIN read.streams s ON s.id = l.stream ORDER BY l.position
