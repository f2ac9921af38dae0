-- bare.sql: a table laid out like the log, with the same indexes and checks, whose positions come from a sequence
CREATE SCHEMA bare;
CREATE TABLE bare.log (LIKE annals.log INCLUDING ALL);
CREATE SEQUENCE bare.position CACHE 1;
ALTER TABLE bare.log ALTER COLUMN position SET DEFAULT nextval('bare.position');
