-- compare.sql: how many documents two generations have, and how many are changed, missing and extra, by value.
-- $1 id of the old one, $2 id of the new one
SELECT count(*), count(*) FILTER (WHERE o.body <> n.body), count(*) FILTER (WHERE n.key IS NULL),
       count(*) FILTER (WHERE o.key IS NULL)
FROM (SELECT key, body FROM {schema}.documents WHERE generation = $1) o
FULL JOIN (SELECT key, body FROM {schema}.documents WHERE generation = $2) n ON o.key = n.key
