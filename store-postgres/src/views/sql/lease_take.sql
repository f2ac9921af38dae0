-- lease_take.sql: $1 generation id, $2 holder, $3 how long it lasts in microseconds
UPDATE {schema}.generations
SET epoch = epoch + 1, holder = $2, lease_us = $3, lease_until = clock_timestamp() + $3 * interval '1 microsecond'
WHERE id = $1 RETURNING epoch
