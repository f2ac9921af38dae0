-- generation_add.sql: a new generation behind all others of its name. $1 name, $2 version, $3 state
INSERT INTO {schema}.generations (name, generation, version, state)
VALUES ($1, (SELECT coalesce(max(g.generation), 0) + 1 FROM {schema}.generations g WHERE g.name = $1), $2, $3)
RETURNING generation, id
