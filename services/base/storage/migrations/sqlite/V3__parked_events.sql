-- Events that the log refuses for good. The event itself stays in the outbox, and so do the later ones of its saga.
CREATE TABLE {parked_events} (
    event_id  BLOB PRIMARY KEY,
    reason    TEXT NOT NULL,
    parked_at INTEGER NOT NULL
) WITHOUT ROWID;
