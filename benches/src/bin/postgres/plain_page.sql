-- plain_page.sql: a page of the log. $1 after this position, $2 limit
SELECT l.position, t.name, l.payload::text, l.stream::text FROM read.log l JOIN read.types t ON t.id = l.type
WHERE l.position > $1 ORDER BY l.position LIMIT $2
