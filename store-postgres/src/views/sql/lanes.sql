-- lanes.sql: where the lanes of a generation stand. $1 generation id
SELECT checkpoint FROM {schema}.lanes WHERE generation = $1 ORDER BY lane
