-- streams_at.sql: ids and last versions of the streams named in $1; those that do not exist are left out
SELECT s.name, s.id, (SELECT l.version FROM {schema}.log l WHERE l.stream = s.id ORDER BY l.version DESC LIMIT 1)
FROM unnest($1::text[]) x(name) JOIN {schema}.streams s ON s.name = x.name
