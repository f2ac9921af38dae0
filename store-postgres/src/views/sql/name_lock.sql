-- name_lock.sql: until this transaction ends, nobody else begins a generation of this name. $1 name
SELECT pg_advisory_xact_lock(hashtextextended($1, '{schema}.generations'::regclass::oid::bigint))
