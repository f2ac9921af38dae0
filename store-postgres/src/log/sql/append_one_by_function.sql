-- append_one_by_function.sql: both by the function, of a role that may only append. $1 to $9 as for append_one.sql, $10
-- the name of a stream that begins, or none
SELECT {schema}.append_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
