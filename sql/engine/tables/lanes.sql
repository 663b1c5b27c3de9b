-- One row per start of a process.  Its heartbeat alone writes it, and holds the session advisory
-- lock `evidence` as long as it is connected.
CREATE TABLE nodes (
  id           uuid        PRIMARY KEY,
  label        text        NOT NULL,
  build        text        NOT NULL,
  pools        text[]      NOT NULL,
  resources    text[]      NOT NULL DEFAULT '{}',  -- The task handlers that it has.
  evidence     bigint      NOT NULL,
  timeline     text        NOT NULL DEFAULT '',    -- Of the server on which it last renewed.
  lease_until  timestamptz NOT NULL,
  joined_at    timestamptz NOT NULL DEFAULT now(),
  renewed_at   timestamptz NOT NULL DEFAULT now(),
  -- Since when it has missed no renewal.
  steady_since timestamptz NOT NULL DEFAULT now()
);

-- One row per lane.  `conn` counts its connections; only the newest may write.  Marked dead once,
-- under the row's lock; from then on nothing can be written in its name.
CREATE TABLE writers (
  id            uuid        PRIMARY KEY,
  node          uuid        NOT NULL,
  conn          bigint      NOT NULL DEFAULT 1,
  backend_pid   integer     NOT NULL,
  backend_start timestamptz NOT NULL,
  state         text        NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'dead')),
  registered_at timestamptz NOT NULL DEFAULT now(),
  dead_at       timestamptz,
  freed_at      timestamptz  -- No execution names it any more.
);
CREATE INDEX writers_not_freed ON writers (state) WHERE freed_at IS NULL;

-- The numbers of calls that a lane has committed: how the question "did my last batch land?" is
-- answered after a lost connection.  Trimmed to the newest.
CREATE TABLE batches (
  writer uuid   NOT NULL,
  n      bigint NOT NULL,
  PRIMARY KEY (writer, n)
);
