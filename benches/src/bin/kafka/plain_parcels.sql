-- plain_parcels.sql: where a loop written by hand keeps what it makes, and how far it is; empty
DROP TABLE IF EXISTS plain_parcels, plain_offsets;
CREATE TABLE plain_parcels(key text COLLATE "C" PRIMARY KEY, notes bigint NOT NULL, last bigint NOT NULL);
CREATE TABLE plain_offsets(partition integer PRIMARY KEY, behind bigint NOT NULL);
