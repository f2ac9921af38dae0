-- layout_set.sql: the tables named $1 have seen $2 migrations
INSERT INTO {schema}.layouts AS l (what, version) VALUES ($1, $2)
ON CONFLICT (what) DO UPDATE SET version = excluded.version
