-- load.sql: documents and whether events are parked, in the order of the keys. $1 name, $2 generation, $3 keys
SELECT d.body::text, EXISTS (SELECT FROM {schema}.parked p WHERE p.generation = g.id AND p.key = k.key)
FROM (SELECT id FROM {schema}.generations WHERE name = $1 AND generation = $2) g
CROSS JOIN unnest($3::text[]) WITH ORDINALITY k(key, o)
LEFT JOIN {schema}.documents d ON d.generation = g.id AND d.key = k.key
ORDER BY k.o
