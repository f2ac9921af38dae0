-- listens.sql: lets others count a session that listens, as long as it lives, and tells them that it does. Waits for
-- nobody. $1 how it says so
SELECT pg_try_advisory_lock_shared(1634889315, '{schema}.log'::regclass::oid::bigint::bit(32)::integer),
       pg_notify('annals_' || '{schema}.log'::regclass::oid, $1)::text
