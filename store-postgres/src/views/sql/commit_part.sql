-- commit_part.sql: of the part $1 name, $2 generation, $3 epoch, $4 from, $5 to; $6 $7 what is written into, $8 to $10
-- its documents as they were seen, $11 $12 documents to add, those seen to be absent; the rest as commit_page from $6 on
SELECT outcome, epoch_now, checkpoint_now, raced_key
FROM {schema}.commit_part($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                          $22, $23, $24)
