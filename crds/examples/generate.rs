//! Writes `crds/yaml/`.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml");
    fs::create_dir_all(&folder)?;
    for (name, yaml) in innkeeper_crds::generate() {
        fs::write(folder.join(name), yaml)?;
    }
    Ok(())
}
