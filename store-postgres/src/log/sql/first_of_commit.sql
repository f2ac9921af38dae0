-- first_of_commit.sql: position and size of the commit that begins with event $1 on the stream named $2
SELECT l.position, l.commit_size::bigint FROM {schema}.log l
WHERE l.event_id = $1 AND l.commit_index = 0 AND l.stream = (SELECT s.id FROM {schema}.streams s WHERE s.name = $2)
