-- append_in_turn.sql: the same as append_behind.sql, in a session that says how it wants its plans
SELECT outcome, head_before
FROM {schema}.append_in_turn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
