-- tell.sql: tells other processes where the log ends. $1 the head
SELECT pg_notify('annals_' || '{schema}.log'::regclass::oid, $1)::text
