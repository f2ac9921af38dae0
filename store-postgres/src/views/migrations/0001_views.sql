-- One generation of one subscriber: its place in the log and who may move it.
CREATE TABLE {schema}.generations (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text COLLATE "C" NOT NULL,
  generation  integer NOT NULL CHECK (generation > 0),
  version     bigint NOT NULL,
  state       text NOT NULL CHECK (state IN ('building', 'live', 'retired')),
  checkpoint  bigint NOT NULL DEFAULT 0 CHECK (checkpoint >= 0),
  epoch       bigint NOT NULL DEFAULT 0,
  holder      text,                                          -- of the lease; null when it was released
  lease_us    bigint NOT NULL DEFAULT 0,                     -- how long the lease lasts after a sign of life
  lease_until timestamptz NOT NULL DEFAULT '-infinity',      -- by the clock of the server
  failure     text,
  failed_at   timestamptz,
  UNIQUE (name, generation)
) WITH (fillfactor = 20);   -- each page changes its row: so the new one finds room beside the old one

CREATE UNIQUE INDEX one_live_generation ON {schema}.generations (name) WHERE state = 'live';
CREATE UNIQUE INDEX one_building_generation ON {schema}.generations (name) WHERE state = 'building';

CREATE TABLE {schema}.documents (
  generation bigint NOT NULL,
  key        text COLLATE "C" NOT NULL,
  body       jsonb NOT NULL,
  PRIMARY KEY (generation, key)
);

-- Events that a projection refused, and those that follow them under the same key.
CREATE TABLE {schema}.parked (
  generation bigint NOT NULL,
  key        text COLLATE "C" NOT NULL,
  position   bigint NOT NULL,
  stream     text NOT NULL,
  version    bigint NOT NULL,
  error      text NOT NULL,
  attempts   bigint NOT NULL,
  parked_at  timestamptz NOT NULL,
  PRIMARY KEY (generation, key, position)
);

-- What somebody wants done about the events parked under a key.
CREATE TABLE {schema}.requests (
  generation bigint NOT NULL,
  key        text COLLATE "C" NOT NULL,
  action     text NOT NULL CHECK (action IN ('retry', 'discard')),
  PRIMARY KEY (generation, key)
);
