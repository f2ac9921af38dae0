-- bare.sql: a table laid out like the log, with the same indexes, whose positions come from a sequence. Without what the
-- log checks of its rows: that is part of our side.
CREATE SCHEMA bare;
CREATE TABLE bare.log (LIKE annals.log INCLUDING ALL EXCLUDING CONSTRAINTS);
CREATE SEQUENCE bare.position CACHE 1;
ALTER TABLE bare.log ALTER COLUMN position SET DEFAULT nextval('bare.position');
