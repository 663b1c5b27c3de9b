-- Functions.  Lanes write through stepwell_commit_v2 and stepwell_claim_v2 only.  Each is one call
-- that commits by itself: nothing idles in a transaction, and every statement inside sees what was
-- committed before it began.  Errors of ours: SW001 fenced, SW002 not the owner, SW003 a taken name
-- has followers.
-- A function that has been released changes by a new name only; the old one stays until no binary
-- needs it.

CREATE FUNCTION stepwell_time(ms bigint) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT to_timestamp(ms::float8 / 1000) $$;

-- Stable, as date_part is: declared immutable it could not be inlined, and would be planned again
-- by every statement that calls it.
CREATE FUNCTION stepwell_ms(t timestamptz) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT floor(date_part('epoch', t) * 1000 + 0.0001)::bigint $$;

-- The least UUIDv7 of that moment, and the moment of an id.
CREATE FUNCTION stepwell_first_id(t timestamptz) RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT (lpad(to_hex(stepwell_ms(t)), 12, '0') || repeat('0', 20))::uuid $$;

CREATE FUNCTION stepwell_id_time(id uuid) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT stepwell_time(('x0000' || left(replace(id::text, '-', ''), 12))::bit(64)::bigint) $$;

-- A fact as it was written: a started fact of encoding 2 gets its input back, as its last member.
CREATE FUNCTION stepwell_payload(encoding smallint, payload text, input text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT CASE WHEN encoding = 2 THEN left(payload, -1) || ',"i":' || input || '}'
                    ELSE payload END $$;
