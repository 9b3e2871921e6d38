//! The query parameters of a list: `size` (how many items) and `after` (the id after which the page
//! begins).

use axum::http::StatusCode;

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
    /// Reads a query string. Unknown parameters are ignored; a bad value is a 400.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut page = Self {
            after: 0,
            size: DEFAULT_SIZE,
        };
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            match name {
                "after" => page.after = number(name, value, 0, i64::MAX)?,
                "size" => page.size = number(name, value, 1, MAX_SIZE)?,
                _ => {}
            }
        }
        Ok(page)
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

fn number<N>(name: &str, value: &str, least: N, most: N) -> Result<N, Problem>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display + Copy,
{
    let number = value
        .parse()
        .ok()
        .filter(|number| *number >= least && *number <= most);
    number.ok_or_else(|| {
        Problem::of(StatusCode::BAD_REQUEST)
            .detail(format!("{name} must be a number from {least} to {most}"))
    })
}
