-- plain_views.sql: where a loop written by hand keeps its documents
CREATE SCHEMA plain;
CREATE TABLE plain.documents(key text COLLATE "C" PRIMARY KEY, body jsonb NOT NULL);
CREATE TABLE plain.checkpoint(position bigint NOT NULL);
