-- streams.sql: streams with their last versions, by name. ?1 behind this name, ?2 from this name on, ?3 below this
-- name, ?4 only of this category, no limit (see read_forwards.sql). The category ends at the first hyphen and begins behind a slash or at once.
SELECT s.name, (SELECT l.version FROM log l WHERE l.stream = s.id ORDER BY l.version DESC LIMIT 1)
FROM streams s
WHERE s.name > ?1 AND s.name >= ?2 AND s.name < ?3
  AND (?4 IS NULL OR substr('/' || substr(s.name, 1, instr(s.name, '-') - 1), -length(?4) - 1) = '/' || ?4)
ORDER BY s.name
