-- append_next.sql: the short way. $1 start of the server, $2 head, $3 $4 new streams, $5 streams, $6 versions,
-- $7 event ids, $8 types, $9 places in the commit, $10 sizes of the commit, $11 metadata, $12 payloads
SELECT outcome FROM {schema}.append_next($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
