-- load.sql: documents and whether events are parked, in the order of the keys. $1 name, $2 generation, $3 keys
SELECT d.body::text, EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = {id} AND p.key = k.key)
FROM (SELECT FROM {schema}.generations WHERE id = {id} AND name = $1 AND generation = $2) g
CROSS JOIN unnest($3::text[]) WITH ORDINALITY k(key, o)
LEFT JOIN {schema}.documents_{id} d ON d.key = k.key
ORDER BY k.o
