-- plain_offsets_set.sql: how far it is. $1 partitions, $2 offsets behind what was read
INSERT INTO plain_offsets(partition, behind) SELECT * FROM unnest($1::integer[], $2::bigint[])
ON CONFLICT (partition) DO UPDATE SET behind = excluded.behind
