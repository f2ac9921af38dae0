-- schema_lock.sql: until the transaction ends, nobody else changes the tables of this schema
SELECT pg_advisory_xact_lock(1634889314, hashtext('{schema}'))
