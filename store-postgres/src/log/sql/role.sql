-- role.sql: who this user is, and what it may do with the log
SELECT session_user::text, CASE
  WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = session_user) THEN 'superuser'
  WHEN pg_has_role(c.relowner, 'USAGE') THEN 'owner'
  WHEN EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = c.relnamespace AND p.proname = 'append_next'
                 AND has_function_privilege(p.oid, 'EXECUTE')) THEN 'append'
  ELSE 'read' END
FROM pg_class c WHERE c.oid = '{schema}.log'::regclass
