-- size.sql: how many bytes the log has on the disk, with its indexes
SELECT pg_total_relation_size('{schema}.log') + pg_total_relation_size('{schema}.streams')
