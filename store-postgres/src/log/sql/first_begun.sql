-- first_begun.sql: behind last.sql: the stream that begins with append_first.sql or append_commit.sql. $9 its name
, begun AS (INSERT INTO {schema}.streams(id, name) SELECT last.position + 1, $9 FROM last)
