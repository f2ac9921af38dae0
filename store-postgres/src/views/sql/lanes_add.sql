-- lanes_add.sql: $1 generation id, $2 how many, $3 where they stand
INSERT INTO {schema}.lanes (generation, lane, checkpoint) SELECT $1, n, $3 FROM generate_series(0, $2 - 1) n
