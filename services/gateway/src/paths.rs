//! Finds the service that a path belongs to: the longest match on whole segments.

use innkeeper_contracts::pod::INTERNAL_PREFIX;
use innkeeper_contracts::settings::Route;
use percent_encoding::percent_decode_str;

/// Every path of every service, longest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PathTable(Vec<Entry>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    /// The path without a trailing slash; empty for `/`.
    path: String,
    /// Index of its route in the settings.
    route: usize,
}

impl PathTable {
    /// The table of these routes.
    pub fn of(routes: &[Route]) -> Self {
        let mut entries: Vec<Entry> = routes
            .iter()
            .enumerate()
            .flat_map(|(index, route)| route.paths.iter().map(move |path| Entry::of(path, index)))
            .collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.path.len()));
        Self(entries)
    }

    /// The index of the route that a request's path belongs to; `None` for a path that nobody may
    /// reach from outside.
    pub fn find(&self, path: &str) -> Option<usize> {
        let entry = self.0.iter().find(|entry| entry.covers(path))?;
        is_reachable(path).then_some(entry.route)
    }
}

impl Entry {
    fn of(path: &str, route: usize) -> Self {
        let path = path.trim_end_matches('/').to_owned();
        Self { path, route }
    }

    fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Whether a path has no `.` or `..` segment and is not internal, in any way of writing it.
fn is_reachable(path: &str) -> bool {
    // The fast way for nearly every path: it contains nothing that could be decoded to something
    // else.
    if !path.contains(['%', '\\']) && !path.contains("/.") && !path.contains("/_") {
        return true;
    }
    let plain = percent_decode_str(path).decode_utf8_lossy();
    let mut segments = plain
        .split(['/', '\\'])
        .filter(|segment| !segment.is_empty())
        .peekable();
    let internal = segments.peek() == Some(&&INTERNAL_PREFIX[1..]);
    !internal && segments.all(|segment| segment != "." && segment != "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(paths: &[&str]) -> PathTable {
        let routes: Vec<Route> = paths.iter().map(|path| route(path)).collect();
        PathTable::of(&routes)
    }

    fn route(path: &str) -> Route {
        Route {
            service: "s".into(),
            paths: vec![path.into()],
            address: "http://s:1".into(),
            timeout_ms: 1,
        }
    }

    #[test]
    fn a_path_belongs_to_its_service_with_all_that_lies_below() {
        let table = table(&["/reservations", "/pays"]);
        assert_eq!(table.find("/reservations"), Some(0));
        assert_eq!(table.find("/reservations/1"), Some(0));
        assert_eq!(table.find("/pays/1/x"), Some(1));
    }

    #[test]
    fn only_whole_segments_match() {
        let table = table(&["/pays"]);
        assert_eq!(table.find("/payslip"), None);
        assert_eq!(table.find("/pay"), None);
        assert_eq!(table.find("/Pays"), None);
    }

    #[test]
    fn the_longest_match_wins_whatever_the_order() {
        for (paths, expected) in [(["/a", "/a/b"], 1), (["/a/b", "/a"], 0)] {
            assert_eq!(table(&paths).find("/a/b/c"), Some(expected));
        }
    }

    #[test]
    fn one_service_can_have_the_rest() {
        let table = table(&["/", "/pays"]);
        assert_eq!(table.find("/anything"), Some(0));
        assert_eq!(table.find("/pays"), Some(1));
    }

    #[test]
    fn what_services_tell_each_other_is_never_routed_however_it_is_written() {
        let table = table(&["/", "/pays"]);
        for hidden in [
            "/_innkeeper",
            "/_innkeeper/authorize",
            "//_innkeeper/authorize",
            "/%5Finnkeeper/authorize",
            "/%5finnkeeper",
            "/%2F_innkeeper",
            "/pays/../_innkeeper",
            "/pays/%2e%2E/_innkeeper",
            "/pays/..%2f_innkeeper",
            "/pays/..\\_innkeeper",
            "/./_innkeeper",
        ] {
            assert_eq!(table.find(hidden), None, "{hidden}");
        }
    }

    #[test]
    fn names_with_dots_underscores_and_percents_are_ordinary() {
        let table = table(&["/files"]);
        for path in [
            "/files/.hidden",
            "/files/_x",
            "/files/a%20b",
            "/files/100%",
            "/files/...",
            "/files/%zz",
            "/files/%e2%82",
        ] {
            assert_eq!(table.find(path), Some(0), "{path}");
        }
    }

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec("[ab]{1,2}", 1..4)
            .prop_map(|segments| format!("/{}", segments.join("/")))
    }

    proptest! {
        /// The table agrees with the definition: of the paths whose segments are a prefix of the
        /// request's, the one with the most segments.
        #[test]
        fn the_match_has_the_most_segments_in_common(
            paths in prop::collection::hash_set(path(), 0..6),
            asked in path(),
        ) {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
            let expected = paths
                .iter()
                .filter(|path| segments(&asked).starts_with(&segments(path)))
                .max_by_key(|path| segments(path).len());
            let found = table(&paths).find(&asked).map(|index| &paths[index]);
            prop_assert_eq!(found, expected);
        }

        /// No path makes it panic.
        #[test]
        fn any_text_is_answered(asked in "\\PC*") {
            let _ = table(&["/", "/a"]).find(&asked);
        }
    }
}
