-- bare.sql: a table laid out like the log, with the same indexes and checks, whose positions come from a sequence
CREATE SCHEMA bare;
CREATE TABLE bare.log (LIKE annals.log INCLUDING ALL);
CREATE SEQUENCE bare.position CACHE 1;
ALTER TABLE bare.log ALTER COLUMN position SET DEFAULT nextval('bare.position');
-- Sessions of the other side are taken for ours, so that its rows meet the same guard.
ALTER DATABASE postgres SET annals.appending = 'on';
