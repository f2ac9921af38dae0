-- lease_extend.sql: a sign of life. $1 generation id
UPDATE {schema}.generations SET lease_until = clock_timestamp() + lease_us * interval '1 microsecond' WHERE id = $1
