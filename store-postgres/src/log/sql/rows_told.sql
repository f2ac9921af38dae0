-- rows_told.sql: the same behind append_commit.sql and append_rows.sql, of the last row
RETURNING CASE WHEN position = $2 + cardinality($5)
               THEN pg_notify('annals_' || '{schema}.log'::regclass::oid, position::text)::text END
