-- plain_parcels_add.sql: what a batch adds. $1 keys, $2 how many events, $3 the last one
INSERT INTO plain_parcels AS p (key, notes, last) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
ON CONFLICT (key) DO UPDATE SET notes = p.notes + excluded.notes, last = excluded.last
