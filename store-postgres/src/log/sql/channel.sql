-- channel.sql: on which channel the append functions tell the head
SELECT 'annals_' || '{schema}.log'::regclass::oid
