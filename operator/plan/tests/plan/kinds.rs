//! The registry knows every kind of object that the operator creates.

use std::collections::BTreeSet;

use innkeeper_crds::{BookingPlatform, DomainService};
use innkeeper_plan::kinds::{Kind, children_of};
use innkeeper_plan::render::objects;
use innkeeper_plan::{Facts, Rendered, expand, validate};

use super::fixtures::{cluster, example, only_platform};

fn rendered<'a>(objects: impl IntoIterator<Item = &'a Rendered>) -> BTreeSet<&'a str> {
    let kinds = objects.into_iter().map(|it| it.resource.kind.as_str());
    kinds.collect()
}

fn registered(kinds: impl Iterator<Item = &'static Kind>) -> BTreeSet<&'static str> {
    kinds.map(|it| it.resource.kind.as_str()).collect()
}

#[test]
fn the_example_has_objects_of_every_registered_kind_and_no_other() {
    let file = only_platform(&example()).expect("nothing is refused");
    let platform = validate(&file.platform, &cluster()).expect("nothing is refused");
    let expansion = expand(&platform, &cluster(), &Facts::default());
    let waves = expansion.waves();
    assert_eq!(
        rendered(waves.iter().flatten()),
        registered(children_of::<BookingPlatform>())
    );
    let services = expansion.services.iter();
    let objects: Vec<_> = services.flat_map(|it| objects(it, None)).collect();
    assert_eq!(
        rendered(&objects),
        registered(children_of::<DomainService>())
    );
}
