-- append_one_by_function.sql: both by the function, of a role that may only append. A row only where nothing was written:
-- one that says that it is done would cost as much as a tenth of an insert. $1 to $8 as for append_one.sql, $9 the name of
-- a stream that begins, or none, $10 whether other processes are told
SELECT WHERE {schema}.append_one($1, $2, $3, $4, $5, $6, $7, $8, $10, $9) OPERATOR(pg_catalog.<>) 0
