use innkeeper_kit::store::{Claim, ClaimChange, Due, RowChange};

use crate::given::{
    ALMOST_A_MINUTE, HOUR, MINUTE, Refused, SECOND, due, new_uuid, row, save, stored_row, write_of,
};
use crate::suite::Fixture;

pub async fn of_two_owners_one_claims_a_due_row(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for _ in 0..20 {
        let saga = stored_row(&*store).await;
        let owners = [new_uuid(), new_uuid()];

        let (one, other) = futures::join!(
            store.claim_due(due(owners[0])),
            store.claim_due(due(owners[1]))
        );

        let claimed = [one.unwrap(), other.unwrap()].concat();
        assert_eq!(claimed.len(), 1, "{claimed:?}");
        assert_eq!((claimed[0].correlation_id, claimed[0].version), (saga, 2));
        let claim = claimed[0].claim.clone().unwrap();
        assert!(claim.live && owners.contains(&claim.owner));
        assert_eq!(store.load(saga).await.unwrap().as_ref(), claimed.first());
    }
}

pub async fn an_expired_claim_can_be_taken(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let (dead, heir) = (new_uuid(), new_uuid());
    assert_eq!(store.claim_due(due(dead)).await.unwrap().len(), 1);
    fixture.pass_time(ALMOST_A_MINUTE).await;
    assert_eq!(store.claim_due(due(heir)).await.unwrap(), []);

    fixture.pass_time(2 * SECOND).await;

    let expired = store.load(saga).await.unwrap().unwrap().claim;
    let expected = Claim {
        owner: dead,
        live: false,
    };
    assert_eq!(expired, Some(expected));
    let claimed = store.claim_due(due(heir)).await.unwrap();
    assert_eq!(claimed[0].claim.as_ref().unwrap().owner, heir);
    assert_eq!(claimed[0].version, 3);
}

pub async fn young_rows_and_rows_in_another_state_are_not_due(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let old_enough = |age, state: &str| Due {
        age,
        state: state.to_owned(),
        ..due(new_uuid())
    };

    assert_eq!(
        store.claim_due(old_enough(HOUR, "pending")).await.unwrap(),
        []
    );
    fixture.pass_time(HOUR + SECOND).await;
    assert_eq!(
        store
            .claim_due(old_enough(HOUR, "confirmed"))
            .await
            .unwrap(),
        []
    );
    let claimed = store.claim_due(old_enough(HOUR, "pending")).await.unwrap();
    assert_eq!(claimed[0].correlation_id, saga);
}

pub async fn the_oldest_rows_are_claimed_first(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let mut sagas = Vec::new();
    for _ in 0..4 {
        sagas.push(stored_row(&*store).await);
        fixture.pass_time(SECOND).await;
    }
    let two = Due {
        limit: 2,
        ..due(new_uuid())
    };

    let mut claimed = store.claim_due(two.clone()).await.unwrap();
    claimed.extend(store.claim_due(two).await.unwrap());

    let claimed: Vec<_> = claimed.iter().map(|row| row.correlation_id).collect();
    assert_eq!(claimed, sagas);
}

pub async fn a_claim_changes_the_version_that_other_writers_know(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    store.claim_due(due(new_uuid())).await.unwrap();
    let late = RowChange {
        seen_version: 1,
        ..row(saga, 1)
    };

    let outcome = save(&*store, write_of(late)).await;

    assert!(matches!(outcome, Err(Refused::Conflict)), "{outcome:?}");
}

pub async fn a_write_takes_and_releases_the_claim(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (saga, owner) = (stored_row(&*store).await, new_uuid());
    let update = |seen_version, claim| RowChange {
        seen_version,
        claim,
        ..row(saga, 1)
    };
    let take = ClaimChange::Take {
        owner,
        hold_for: MINUTE,
    };

    save(&*store, write_of(update(1, take))).await.unwrap();
    let claim = store.load(saga).await.unwrap().unwrap().claim;
    assert_eq!(claim, Some(Claim { owner, live: true }));
    assert_eq!(store.claim_due(due(new_uuid())).await.unwrap(), []);

    let release = update(2, ClaimChange::Release);
    save(&*store, write_of(release)).await.unwrap();
    assert_eq!(store.load(saga).await.unwrap().unwrap().claim, None);
    assert_eq!(store.claim_due(due(new_uuid())).await.unwrap().len(), 1);
}
