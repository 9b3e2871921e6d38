-- Dead letters can be named, replayed and discarded. Pods of earlier releases may still write while this runs, and after it: they name
-- their columns, so that their dead letters get an id, and the kind that people replay.
ALTER TABLE dead_letters
    ADD COLUMN id       uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN kind     text NOT NULL DEFAULT 'Failed',
    ADD COLUMN event_id uuid, -- NULL if the record has no id that can be read
    ADD COLUMN tries    integer NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX dead_letters_by_id ON dead_letters (id);
CREATE INDEX dead_letters_by_kind ON dead_letters (kind, seq);
CREATE INDEX dead_letters_by_event ON dead_letters (event_id) WHERE event_id IS NOT NULL;
