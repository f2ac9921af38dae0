-- commit_rows.sql: what a commit wrote. ?1 its first position, ?2 its last position
SELECT s.name, l.version FROM log l JOIN streams s ON s.id = l.stream
WHERE l.position BETWEEN ?1 AND ?2 ORDER BY l.position
