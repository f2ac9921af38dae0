-- documents_drop.sql: with the last of its documents goes the table
DROP TABLE IF EXISTS {schema}.documents_{id}
