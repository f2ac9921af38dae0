-- documents_add.sql: the table of the documents of one generation
CREATE TABLE {schema}.documents_{id} (key text COLLATE "C" PRIMARY KEY, body jsonb NOT NULL)
