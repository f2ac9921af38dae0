-- commit_part.sql: of the part $1 name, $2 generation, $3 epoch, $4 from, $5 to; $6 $7 what is written into, $8 to $10
-- its documents as they were seen, $11 $12 documents to add, those seen to be absent; the rest as commit_page from $6
-- on.
--
-- Whoever parks or settles waits for all other parts. All get in line before that, with a lock of the generation: those
-- who share the lock of a row have no line, and ever more would go in front of one that wants it alone.
SELECT p.outcome, p.epoch_now, p.checkpoint_now, p.raced_key
FROM (SELECT CASE WHEN cardinality($16::text[]) + cardinality($18::text[]) > 0 THEN pg_advisory_xact_lock(k.key)::text
                  ELSE pg_advisory_xact_lock_shared(k.key)::text END AS turn
      FROM (SELECT hashtextextended($6 || ' ' || $7::text, '{schema}.parked'::regclass::oid::bigint) AS key) k
      OFFSET 0) line
CROSS JOIN LATERAL {schema}.commit_part(
  -- The turn is an empty text: nothing is called before it has come.
  $1 || line.turn, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
  $24) p
