-- compare.sql: how many documents two generations have, and how many are changed, missing and extra, by value.
SELECT count(*), count(*) FILTER (WHERE o.body <> n.body), count(*) FILTER (WHERE n.key IS NULL),
       count(*) FILTER (WHERE o.key IS NULL)
FROM {schema}.documents_{old} o FULL JOIN {schema}.documents_{new} n ON o.key = n.key
