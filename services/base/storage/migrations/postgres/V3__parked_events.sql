-- Events that the log refuses for good. The event itself stays in the outbox, and so do the later ones of its saga.
-- A new table needs no lock on the outbox. Processes of the release before do not read it: they try such an event again and again, and keep its order.
CREATE TABLE parked_events (
    event_id  uuid PRIMARY KEY,
    reason    text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now()
);
