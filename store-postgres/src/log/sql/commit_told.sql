-- commit_told.sql: behind append_commit.sql: other processes are told of its last row
RETURNING CASE WHEN commit_index = commit_size - 1
               THEN pg_notify('annals_' || '{schema}.log'::regclass::oid, position::text)::text END
