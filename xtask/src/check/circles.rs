//! Finds circles: modules beside each other that import one another, be it through others. A module
//! and those in its own folder are one concern and may do so: the file has what its parts share.
//! Code for tests is left out. Not seen are names behind a glob, in attributes, and imported
//! ones in macros.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, UseTree, Visibility};

use super::sources::{Source, read_sources};
use crate::Outcome;
use crate::workspace::Workspace;

/// The names from the root of a package down to a module or an item; the root itself has none.
type ModulePath = Vec<String>;

/// The modules beside each other, each with those that it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// Fails if modules import one another.
pub fn check(workspace: &Workspace) -> Outcome {
    let mut found = Vec::new();
    for package in workspace.packages() {
        let sources = read_sources(&package.root.join("src"))?;
        let product = sources.iter().filter(|it| !it.is_test);
        let modules = product.map(|it| Ok((it.module_path(&package.root), Names::read(it)?)));
        let modules = modules.collect::<Result<_, String>>()?;
        let circles = circles(&modules).into_iter();
        found.extend(circles.map(|circle| format!("{}: {circle}", package.name)));
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(format!(
        "modules import one another: {}; move what both need into a module of its own",
        found.join("; ")
    )
    .into())
}

/// What a file names of its own package.
#[derive(Default)]
struct Names {
    /// The paths as they are written, such as `crate::store::Store`.
    paths: Vec<ModulePath>,
    /// The paths that the file exports again, by the names that they have here.
    exports: BTreeMap<String, ModulePath>,
}

impl Names {
    fn read(source: &Source) -> Result<Self, String> {
        let file = syn::parse_file(&source.text);
        let file = file.map_err(|error| format!("{}: {error}", source.path.display()))?;
        let mut names = Self::default();
        names.visit_file(&file);
        Ok(names)
    }

    fn read_use(&mut self, prefix: &[String], tree: &UseTree, is_export: bool) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        let (path, name) = match tree {
            UseTree::Path(path) => return self.read_use(&with(&path.ident), &path.tree, is_export),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_use(prefix, tree, is_export);
                }
                return;
            }
            UseTree::Name(name) => (with(&name.ident), name.ident.to_string()),
            UseTree::Rename(renamed) => (with(&renamed.ident), renamed.rename.to_string()),
            UseTree::Glob(_) => (prefix.to_vec(), "*".to_owned()),
        };
        if is_export {
            self.exports.insert(name, path.clone());
        }
        self.paths.push(path);
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.attrs.iter().any(is_for_tests) {
            return;
        }
        let is_export = !matches!(item.vis, Visibility::Inherited);
        self.read_use(&[], &item.tree, is_export);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !module.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.paths.extend(paths_in(&called.tokens.to_string()));
        visit::visit_macro(self, called);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|it| it.ident.to_string());
        self.paths.push(names.collect());
        visit::visit_path(self, path);
    }
}

/// The paths from the root of the package in the tokens of a macro.
fn paths_in(tokens: &str) -> impl Iterator<Item = ModulePath> {
    let is_between = |it: char| it.is_whitespace() || "()[]{},;&".contains(it);
    let tokens = tokens.split(is_between).filter(|it| !it.is_empty());
    let mut tokens = tokens.peekable();
    std::iter::from_fn(move || {
        tokens.by_ref().find(|token| *token == "crate")?;
        let mut path = vec!["crate".to_owned()];
        while tokens.next_if_eq(&"::").is_some() {
            path.extend(tokens.next().map(str::to_owned));
        }
        Some(path)
    })
}

fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = |it: syn::Ident| it == "test";
    attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(is_test)
}

/// The circles among the modules of a package.
fn circles(modules: &BTreeMap<ModulePath, Names>) -> Vec<String> {
    let mut folders = BTreeMap::<&[String], Imports>::new();
    for (module, names) in modules {
        for path in &names.paths {
            let Some(imported) = resolve(modules, module, path) else {
                continue;
            };
            let shared = module.iter().zip(&imported).take_while(|(a, b)| a == b);
            let shared = shared.count();
            if let (Some(from), Some(to)) = (module.get(shared), imported.get(shared)) {
                let folder = folders.entry(&module[..shared]).or_default();
                folder.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    let folders = folders.into_iter();
    folders
        .filter_map(|(folder, imports)| {
            let among = among_each_other(&imports);
            let folder = folder.iter().map(|it| format!("{it}::"));
            let folder: String = folder.collect();
            (!among.is_empty()).then(|| format!("{folder}{{{}}}", among.join(", ")))
        })
        .collect()
}

/// The modules that import themselves through others.
fn among_each_other(imports: &Imports) -> Vec<&str> {
    let returns_to = |start: &String| {
        let mut reached = BTreeSet::new();
        let mut next = vec![start];
        while let Some(module) = next.pop() {
            for imported in imports.get(module).into_iter().flatten() {
                if reached.insert(imported) {
                    next.push(imported);
                }
            }
        }
        reached.contains(start)
    };
    let modules = imports.keys().filter(|it| returns_to(it));
    modules.map(String::as_str).collect()
}

/// The module in which the item lies that a module names by this path; `None` if the path is one of
/// another package or of the module's own children.
fn resolve(
    modules: &BTreeMap<ModulePath, Names>,
    module: &[String],
    path: &[String],
) -> Option<ModulePath> {
    let ups = path.iter().take_while(|it| *it == "super").count();
    let (mut found, rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "super" => (
            module[..module.len().checked_sub(ups)?].to_vec(),
            &path[ups..],
        ),
        "self" => (module.to_vec(), &path[1..]),
        _ => return None,
    };
    for (index, name) in rest.iter().enumerate() {
        found.push(name.clone());
        if modules.contains_key(&found) {
            continue;
        }
        found.pop();
        let exported = modules.get(&found).and_then(|it| it.exports.get(name));
        // An item of the module itself, or another package, may be exported under its own name.
        let exported = exported.filter(|it| it.as_slice() != [name.as_str()]);
        return match exported {
            Some(exported) => {
                let start = exported.first().map_or("", String::as_str);
                let is_own = !["crate", "super", "self"].contains(&start);
                let prefix = if is_own {
                    vec!["self".to_owned()]
                } else {
                    Vec::new()
                };
                let path = [&prefix[..], exported, &rest[index + 1..]].concat();
                resolve(modules, &found, &path)
            }
            None => Some(found),
        };
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles_of(files: &[(&str, &str)]) -> Vec<String> {
        let read = |(path, text): &(&str, &str)| {
            let source = Source {
                path: path.into(),
                text: (*text).to_owned(),
                is_test: false,
            };
            (
                source.module_path("".as_ref()),
                Names::read(&source).unwrap(),
            )
        };
        circles(&files.iter().map(read).collect())
    }

    #[test]
    fn modules_that_import_one_another_are_named() {
        let files = [
            ("src/lib.rs", "mod entity; mod rejection; mod store;"),
            ("src/entity.rs", "use crate::store::{self, Row};"),
            ("src/rejection.rs", "struct A(crate::store::Error);"),
            ("src/store/step.rs", "use crate::rejection::Failure as Why;"),
            ("src/store.rs", "mod step;"),
        ];
        assert_eq!(circles_of(&files), ["{rejection, store}"]);
        assert!(circles_of(&files[..3]).is_empty());
    }

    #[test]
    fn a_circle_through_a_third_module_and_what_a_folder_exports_is_found() {
        let files = [
            (
                "src/a.rs",
                "mod one; mod two; pub use three::Three as Four; mod three;",
            ),
            ("src/a/one.rs", "use super::two;"),
            ("src/a/two.rs", "use crate::a::Four;"),
            ("src/a/three.rs", "use super::one::One;"),
        ];
        assert_eq!(circles_of(&files), ["a::{one, three, two}"]);
    }

    #[test]
    fn what_a_macro_names_counts_and_an_item_exported_under_its_own_name_ends_the_search() {
        let files = [
            ("src/a.rs", "fn f() { info!(it = g(&[crate::b::B]), 1); }"),
            (
                "src/b.rs",
                "macro_rules! columns { () => {} } pub(super) use columns; use crate::a::f;",
            ),
            ("src/c.rs", "use crate::b::columns;"),
        ];
        assert_eq!(circles_of(&files), ["{a, b}"]);
    }

    #[test]
    fn a_module_and_its_own_folder_are_one_concern_and_tests_import_what_they_like() {
        let files = [
            ("src/lib.rs", "pub use a::A;"),
            ("src/a.rs", "mod one; use one::One;"),
            ("src/a/one.rs", "use super::A;"),
            (
                "src/b.rs",
                "use crate::A; #[cfg(test)] mod tests { use crate::c::C; }",
            ),
            ("src/c.rs", "use crate::b::B; use other::b::B;"),
        ];
        assert!(circles_of(&files).is_empty());
    }
}
