//! What goes and comes while no operator runs is understood by the one that comes back.

use innkeeper_e2e::kubernetes::TOPICS;
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::{claims, kafka, operator};
use serde_json::Value;

use crate::deletion::{
    RECORDS, await_gone, await_records, backup, begin, delete, lose, platform, restore_with_status,
};

const STILL: Namespace = Namespace("standstill");

pub fn lane() -> Lane {
    Lane {
        name: "standstill",
        namespaces: &["innkeeper-system", "standstill"],
        claims: claims![an_operator_that_comes_back_deletes_what_was_to_go_and_nothing_else,],
    }
}

fn await_deletion(name: &str) {
    STILL.until("the garbage collector has found it", || {
        match &STILL.expect(TOPICS, name)["metadata"]["deletionTimestamp"] {
            Value::Null => Err("not yet".to_owned()),
            _ => Ok(()),
        }
    });
}

fn an_operator_that_comes_back_deletes_what_was_to_go_and_nothing_else() {
    STILL.create();
    for name in ["gone", "restored-late", "anew"] {
        begin(STILL, name);
    }
    let backup = backup(STILL, "restored-late");
    lose(STILL, "restored-late");
    operator::scale(0);

    delete(STILL, &["bookingplatform", "gone"]);
    restore_with_status(STILL, &backup);
    kafka::delete("anew");
    kafka::create("anew", 3);
    kafka::produce("anew", usize::try_from(RECORDS).unwrap());
    delete(STILL, &["bookingplatform", "anew"]);
    for name in ["gone", "restored-late", "anew"] {
        await_deletion(name);
    }
    STILL.apply(&platform("restored-late"));
    assert_eq!(kafka::held("gone"), Some(RECORDS));

    operator::scale(1);
    for name in ["gone", "anew"] {
        await_gone(STILL, name);
    }
    await_records(STILL, "gone", None);
    STILL.await_ready("restored-late");
    assert_eq!(kafka::held("restored-late"), Some(RECORDS));
    assert_eq!(kafka::held("anew"), Some(RECORDS));
    STILL.await_event("TopicKept", "someone has made it anew");
}
