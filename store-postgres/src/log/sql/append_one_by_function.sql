-- append_one_by_function.sql: the same by the function, of a role that may only append
SELECT {schema}.append_one($1, $2, $3, $4, $5, $6, $7, $8, $9)
