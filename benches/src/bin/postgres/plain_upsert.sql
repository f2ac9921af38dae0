-- plain_upsert.sql: the documents of a page. $1 keys, $2 what they say
INSERT INTO plain.documents(key, body) SELECT x.k, x.b::jsonb FROM unnest($1::text[], $2::text[]) x(k, b)
ON CONFLICT (key) DO UPDATE SET body = excluded.body
