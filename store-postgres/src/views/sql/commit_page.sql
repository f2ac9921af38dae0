-- commit_page.sql: $1 name, $2 generation, $3 epoch, $4 from, $5 to, $6 $7 documents to put, $8 keys to delete,
-- $9 $10 parked events to settle, $11 to $17 events to park, $18 the lane or null
SELECT outcome, epoch_now, checkpoint_now
FROM {schema}.commit_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
