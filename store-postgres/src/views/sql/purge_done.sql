-- purge_done.sql: whether nothing of a generation is left. $1 generation id
SELECT NOT EXISTS (SELECT FROM {schema}.documents WHERE generation = $1)
   AND NOT EXISTS (SELECT FROM {schema}.parked WHERE generation = $1)
   AND NOT EXISTS (SELECT FROM {schema}.requests WHERE generation = $1)
