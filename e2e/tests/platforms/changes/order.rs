//! Applies the same services in another order.

use innkeeper_e2e::kubernetes::{PLATFORMS, REPLICA_SETS, name};

use super::rollout::{await_settled, everything_written};
use super::{COTTAGE, cottage};

pub fn the_same_services_in_another_order_write_nothing() {
    await_settled();
    let platform = format!("{} cottage", PLATFORMS.plural);
    let written = || {
        let mut all = everything_written();
        let of_platform = all.remove(&platform).unwrap();
        (of_platform, all)
    };
    let replica_sets = || -> Vec<String> {
        let all = COTTAGE.list_of_service(REPLICA_SETS, "gateway");
        all.iter().map(name).collect()
    };
    let (platform_before, before) = written();
    let sets_before = replica_sets();

    COTTAGE.apply(&cottage().reversed().manifest());
    COTTAGE.await_ready("cottage");
    await_settled();

    let (platform_after, after) = written();
    assert_ne!(
        platform_before, platform_after,
        "nobody looked at the platform"
    );
    assert_eq!(before, after);
    assert_eq!(sets_before, replica_sets());
    COTTAGE.apply(&cottage().manifest());
}
