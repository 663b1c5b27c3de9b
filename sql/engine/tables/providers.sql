-- Where each pushed record went, by its key; never its content.
CREATE TABLE ledger (
  namespace  text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  key        text COLLATE "C" NOT NULL,
  status     text        NOT NULL
             CHECK (status IN ('intent', 'done', 'pending', 'failed', 'unknown')),
  version    text COLLATE "C" NOT NULL,
  remote_id  text COLLATE "C" NOT NULL,
  handle     text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, connection, key)
);

-- The parts of a backfill, for people.
CREATE TABLE chunks (
  namespace  text COLLATE "C" NOT NULL,
  job        text COLLATE "C" NOT NULL,
  chunk      text COLLATE "C" NOT NULL,
  status     text        NOT NULL,
  detail     text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, job, chunk)
);

-- Accounts at providers; the tokens are sealed before they come here.
CREATE TABLE connections (
  namespace  text COLLATE "C" NOT NULL,
  id         text COLLATE "C" NOT NULL,
  provider   text COLLATE "C" NOT NULL,
  account    text COLLATE "C" NOT NULL,
  sealed     text        NOT NULL,
  generation bigint      NOT NULL DEFAULT 0,
  expires_at timestamptz,
  status     text        NOT NULL CHECK (status IN ('ready', 'needs_reauth')),
  settings   text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (namespace, id)
);
