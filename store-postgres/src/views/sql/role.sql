-- role.sql: who this user is, and what it may do with the read models
SELECT session_user::text, CASE
  WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user) THEN 'superuser'
  WHEN pg_has_role(c.relowner, 'USAGE') THEN 'owner'
  WHEN has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') THEN 'write'
  WHEN has_table_privilege(c.oid, 'SELECT') THEN 'read' ELSE 'none' END
FROM pg_class c WHERE c.oid = '{schema}.generations'::regclass
