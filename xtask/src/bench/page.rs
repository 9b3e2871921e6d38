//! The page with all figures, which is made from the saved run `docs/figures.json`.

use std::error::Error;
use std::path::Path;

use super::figure::Run;
use super::table::{misses, table};
use crate::generated::{Generated, repository};

pub const RUN: &str = "docs/figures.json";
const PAGE: &str = "docs/figures.md";

/// The page as it should be.
pub fn page() -> Result<Generated, Box<dyn Error>> {
    let run = Run::load(&repository().join(RUN))?;
    Ok(Generated {
        path: Path::new(PAGE).to_owned(),
        text: text(&run),
    })
}

fn text(run: &Run) -> String {
    let misses = misses(run);
    let misses = if misses.is_empty() {
        "None.".to_owned()
    } else {
        let lines = misses.iter().map(|miss| format!("- {miss}\n"));
        lines.collect()
    };
    include_str!("page.md")
        .replace("COMMIT", &run.commit)
        .replace("TABLE", table(run).trim_end())
        .replace("MISSES", misses.trim_end())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_page_shows_the_saved_run() {
        let page = page().unwrap();
        let committed = fs::read_to_string(repository().join(&page.path)).unwrap();
        assert_eq!(committed, page.text, "run: cargo xtask generate");
    }

    #[test]
    fn the_readme_quotes_four_figures_of_the_page() {
        let readme = fs::read_to_string(repository().join("README.md")).unwrap();
        let page = page().unwrap().text;
        let (_, section) = readme.split_once("\n## Measured\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let table = section.lines().filter(|line| line.starts_with("| "));
        let rows: Vec<&str> = table.skip(1).collect();
        assert_eq!(rows.len(), 4);
        for row in rows {
            assert!(
                page.lines().any(|line| line == row),
                "not in the page: {row}"
            );
        }
    }
}
