-- One generation of one subscriber: its place in the log and who may move it.
CREATE TABLE generations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation > 0),
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    checkpoint INTEGER NOT NULL DEFAULT 0 CHECK (checkpoint >= 0),
    epoch INTEGER NOT NULL DEFAULT 0,
    holder TEXT,                                -- of the lease; NULL when it was released
    lease_us INTEGER NOT NULL DEFAULT 0,        -- how long the lease lasts after a sign of life
    lease_until_us INTEGER NOT NULL DEFAULT 0,  -- microseconds since 1970, by the clock of this host
    failure TEXT,
    failed_at_us INTEGER,
    UNIQUE (name, generation)
) STRICT;

CREATE UNIQUE INDEX one_live_generation ON generations (name) WHERE state = 'live';
CREATE UNIQUE INDEX one_building_generation ON generations (name) WHERE state = 'building';

-- A table with rowids and an index on the keys: measured twice as fast as one WITHOUT ROWID when keys are random,
-- because documents that change together were made together and share pages.
CREATE TABLE documents (
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (generation, key)
) STRICT;

-- Events that a projection refused, and those that follow them under the same key.
CREATE TABLE parked (
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    parked_at_us INTEGER NOT NULL,
    PRIMARY KEY (generation, key, position)
) STRICT, WITHOUT ROWID;

-- What somebody wants done about the events parked under a key.
CREATE TABLE requests (
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('retry', 'discard')),
    PRIMARY KEY (generation, key)
) STRICT, WITHOUT ROWID;
