-- compare_examples.sql: the first keys whose documents differ. $1 limit
SELECT coalesce(o.key, n.key)
FROM {schema}.documents_{old} o FULL JOIN {schema}.documents_{new} n ON o.key = n.key
WHERE o.body IS DISTINCT FROM n.body ORDER BY 1 LIMIT $1
