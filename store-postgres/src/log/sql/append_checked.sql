-- append_checked.sql: the long way. $1 start of the server, $2 names of streams, $3 to $6 writes: commits (negative when
-- they build on the one before), streams, expected versions, counts, $7 to $11 events: writes, ids, types, metadata,
-- payloads. No row, and nothing written, where a type is not there: a log that was restored may know fewer
SELECT outcome, place, versions, known, head_before
FROM {schema}.append_checked($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
WHERE NOT EXISTS (
  SELECT FROM unnest($9) AS e(type) WHERE NOT EXISTS (SELECT FROM {schema}.types t WHERE t.id = e.type))
