-- listeners.sql: how many sessions let themselves be counted by listens.sql
SELECT count(*) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = 1634889315 AND l.objsubid = 2
  AND l.objid = '{schema}.log'::regclass::oid
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
