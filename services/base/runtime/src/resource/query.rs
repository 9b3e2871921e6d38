//! The query parameters of a list: `size` (how many items; `limit` on the admin port) and `after`
//! (the id after which the page begins). Whatever else is asked for is refused, since a client that
//! is not understood would read the first page for ever.

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::problem::Problem;

/// Items per page, unless the client says otherwise.
const DEFAULT_SIZE: u32 = 20;
/// Most items per page.
const MAX_SIZE: u32 = 1000;

/// One page of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// The id after which the page begins.
    pub after: i64,
    /// Most items on the page.
    pub size: u32,
}

impl Page {
    /// Reads a query string. An unknown parameter, one that is given twice, and a bad value are
    /// refused (422).
    pub fn parse(query: &str) -> Result<Self, Problem> {
        Self::parse_with(query, "size", DEFAULT_SIZE)
    }

    /// The same of the admin port, where the number of items is called `limit`: `default_limit`
    /// unless the client says otherwise.
    pub fn parse_with_limit(query: Option<&str>, default_limit: u32) -> Result<Self, Problem> {
        Self::parse_with(query.unwrap_or_default(), "limit", default_limit)
    }

    fn parse_with(query: &str, size_name: &str, default_size: u32) -> Result<Self, Problem> {
        let (mut after, mut size) = (None, None);
        for (name, value) in parameters(query) {
            let read = match name.as_str() {
                "after" => set(&mut after, &name, &value, 0, i64::MAX),
                name if name == size_name => set(&mut size, name, &value, 1, MAX_SIZE),
                _ => Err(format!("{name:?} is unknown")),
            };
            read.map_err(|wrong| {
                invalid(format!("{wrong}; the parameters are after and {size_name}"))
            })?;
        }
        Ok(Self {
            after: after.unwrap_or(0),
            size: size.unwrap_or(default_size),
        })
    }

    /// The link to this page.
    pub fn href(self, path: &str) -> String {
        let size = self.size;
        match self.after {
            0 => format!("{path}?size={size}"),
            after => format!("{path}?after={after}&size={size}"),
        }
    }
}

/// Refuses every parameter (422).
pub fn check_none(query: Option<&str>) -> Result<(), Problem> {
    let mut parameters = parameters(query.unwrap_or_default());
    parameters.next().map_or(Ok(()), |(name, _)| {
        Err(invalid(format!(
            "{name:?} is unknown; there are no parameters here"
        )))
    })
}

/// The names and values of a query, decoded.
fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// Sets a parameter that was not given before. Its value has one spelling: `08` and `+8` are none.
fn set<N>(
    parameter: &mut Option<N>,
    name: &str,
    value: &str,
    least: N,
    most: N,
) -> Result<(), String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let number = value
        .parse()
        .ok()
        .filter(|number: &N| *number >= least && *number <= most && number.to_string() == value);
    let number = number.ok_or_else(|| format!("{name} must be a number from {least} to {most}"))?;
    match parameter.replace(number) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is given twice")),
    }
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "The request is invalid").detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_from_its_parameters_in_any_equal_spelling() {
        for (query, after, size) in [
            ("", 0, DEFAULT_SIZE),
            ("&", 0, DEFAULT_SIZE),
            ("size=1&after=7", 7, 1),
            ("after=0", 0, DEFAULT_SIZE),
            ("si%7Ae=1%30", 0, 10),
        ] {
            assert_eq!(Page::parse(query).unwrap(), Page { after, size }, "{query}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_names_what_is_known() {
        for (query, expected) in [
            ("page=1", "after and size"),
            ("sort=id&size=1", "after and size"),
            ("size=1&size=1", "after and size"),
            ("Size=1", "after and size"),
            ("=1", "after and size"),
            ("size", "size must be a number from 1 to 1000"),
            ("size=0", "size must be a number from 1 to 1000"),
            ("size=+5", "size must be a number from 1 to 1000"),
            ("size=05", "size must be a number from 1 to 1000"),
            ("size=1001", "size must be a number from 1 to 1000"),
            ("after=-1", "after must be a number from 0 to"),
            (
                "after=9223372036854775808",
                "after must be a number from 0 to",
            ),
        ] {
            let problem = Page::parse(query).unwrap_err();
            assert_eq!(problem.status, 422);
            assert!(problem.detail.unwrap().contains(expected), "{query}");
        }
    }

    #[test]
    fn on_the_admin_port_the_number_of_items_is_called_limit() {
        let page = Page::parse_with_limit(Some("after=3&limit=4"), 100);
        assert_eq!(page.unwrap(), Page { after: 3, size: 4 });
        assert_eq!(Page::parse_with_limit(None, 100).unwrap().size, 100);
        for query in ["size=1", "limit=x", "limit=0", "page=1"] {
            let problem = Page::parse_with_limit(Some(query), 100).unwrap_err();
            assert_eq!(problem.status, 422);
            assert!(
                problem.detail.unwrap().contains("after and limit"),
                "{query}"
            );
        }
    }

    #[test]
    fn where_there_are_no_parameters_any_is_refused() {
        assert_eq!(check_none(None), Ok(()));
        assert_eq!(check_none(Some("")), Ok(()));
        assert!(check_none(Some("projection=all")).is_err());
    }
}
