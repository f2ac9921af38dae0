-- size.sql: how many bytes the read models have on the disk, with their indexes
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_namespace o ON o.oid = to_regnamespace('{schema}')
WHERE c.relkind IN ('r', 'm')
  AND (n.oid = o.oid AND c.relname ~ '^(documents_[0-9]+|generations|lanes|parked|requests)$'
       OR n.nspname ~ ('^' || o.nspname || '_g[0-9]+$'))
