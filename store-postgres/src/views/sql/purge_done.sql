-- purge_done.sql: whether nothing is left that was parked in a generation. $1 generation id
SELECT NOT EXISTS (SELECT FROM {schema}.parked WHERE generation = $1)
   AND NOT EXISTS (SELECT FROM {schema}.requests WHERE generation = $1)
