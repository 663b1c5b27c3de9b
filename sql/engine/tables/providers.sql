-- Where each pushed record went, by its key; never its content.
CREATE TABLE ledger (
  namespace  text        NOT NULL,
  connection text        NOT NULL,
  key        text        NOT NULL,
  status     text        NOT NULL
             CHECK (status IN ('intent', 'done', 'pending', 'failed', 'unknown')),
  version    text        NOT NULL,
  remote_id  text        NOT NULL,
  handle     text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, connection, key)
);

-- The parts of a backfill, for people.
CREATE TABLE chunks (
  namespace  text        NOT NULL,
  job        text        NOT NULL,
  chunk      text        NOT NULL,
  status     text        NOT NULL,
  detail     text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, job, chunk)
);

-- Accounts at providers; the tokens are sealed before they come here.
CREATE TABLE connections (
  namespace  text        NOT NULL,
  id         text        NOT NULL,
  provider   text        NOT NULL,
  account    text        NOT NULL,
  sealed     text        NOT NULL,
  generation bigint      NOT NULL DEFAULT 0,
  expires_at timestamptz,
  status     text        NOT NULL CHECK (status IN ('ready', 'needs_reauth')),
  settings   text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, id)
);
