-- commits_rows.sql: what commits wrote, each in log order. $1 their first positions, $2 their sizes
SELECT c.o, s.name, l.version
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY c(first, size, o)
JOIN {schema}.log l ON l.position >= c.first AND l.position < c.first + c.size
JOIN {schema}.streams s ON s.id = l.stream
ORDER BY c.o, l.position
