-- append_behind.sql: the short way behind others. $1 start of the server, $2 where the log was seen to end, $3 $4 new
-- streams, $5 streams, $6 versions, $7 event ids, $8 types, $9 places in the commit, $10 sizes of the commit,
-- $11 metadata, $12 payloads, $13 whether other processes are told
SELECT outcome, head_before
FROM {schema}.append_behind($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
