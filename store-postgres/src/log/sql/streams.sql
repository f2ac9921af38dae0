-- streams.sql: streams with their last versions, by name. $1 behind this name, $2 from this name on, $3 below this
-- name, $4 only of this category, $5 limit. The category ends at the first hyphen and begins behind a slash or at once.
SELECT s.name, (SELECT l.version FROM {schema}.log l WHERE l.stream = s.id ORDER BY l.version DESC LIMIT 1)
FROM {schema}.streams s
WHERE s.name > $1 AND s.name >= $2 AND s.name < $3
  AND ($4::text IS NULL OR right('/' || split_part(s.name, '-', 1), length($4) + 1) = '/' || $4)
ORDER BY s.name LIMIT $5
