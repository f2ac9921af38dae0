-- compare_examples.sql: the first keys whose documents differ. $1 id of the old one, $2 id of the new one, $3 limit
SELECT coalesce(o.key, n.key)
FROM (SELECT key, body FROM {schema}.documents WHERE generation = $1) o
FULL JOIN (SELECT key, body FROM {schema}.documents WHERE generation = $2) n ON o.key = n.key
WHERE o.body IS DISTINCT FROM n.body ORDER BY 1 LIMIT $3
