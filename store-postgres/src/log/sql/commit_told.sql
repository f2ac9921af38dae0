-- commit_told.sql: the same behind append_commit.sql, of the last row
RETURNING CASE WHEN commit_index = commit_size - 1
               THEN pg_notify('annals_' || '{schema}.log'::regclass::oid, position::text)::text END
