//! Creates container images without Docker. An OCI archive (OCI image specification, *Image
//! Layout*) is a tar file with some JSON documents and layers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The user and group of every image: nobody, as numbers, so that Kubernetes can tell that it is
/// not root.
const USER: &str = "65532:65532";

/// Why an image could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The archive could not be written.
    #[error("cannot write the image {path}")]
    Write {
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// `ldd`, which lists shared libraries, could not be started.
    #[error("cannot start ldd")]
    Start(#[source] io::Error),
    /// The shared libraries of the program could not be listed.
    #[error("cannot list the shared libraries of {path}: {said}")]
    Libraries {
        path: PathBuf,
        /// What `ldd` printed to stderr.
        said: String,
    },
}

/// An image that contains one program and the shared libraries that it needs.
#[derive(Debug, Clone)]
pub struct Image {
    name: String,
    entrypoint: String,
    labels: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Image {
    /// An image with this full name (`host/repository:tag`) that runs the program, which it
    /// contains at the path `entrypoint`.
    pub fn of_program(name: &str, program: &Path, entrypoint: &str) -> Result<Self, ImageError> {
        let mut files = BTreeMap::from([(PathBuf::from(entrypoint), read(program)?)]);
        for library in list_shared_libraries(program)? {
            let content = read(&library)?;
            files.insert(library, content);
        }
        Ok(Self {
            name: name.to_owned(),
            entrypoint: entrypoint.to_owned(),
            labels: BTreeMap::new(),
            files,
        })
    }

    /// Adds a file at this absolute path.
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(PathBuf::from(path), content.into());
        self
    }

    /// Adds a label to the image.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Writes the image as an OCI archive. The same content results in the same bytes.
    pub fn write(&self, archive: &Path) -> Result<(), ImageError> {
        let written = self
            .blobs()
            .and_then(|blobs| write_archive(archive, &blobs, &self.name));
        written.map_err(|source| ImageError::Write {
            path: archive.to_path_buf(),
            source,
        })
    }

    fn blobs(&self) -> io::Result<Blobs> {
        let mut blobs = Blobs::default();
        let layer = blobs.add("application/vnd.oci.image.layer.v1.tar", self.layer()?);
        let configuration = self
            .configuration(&layer["digest"])
            .to_string()
            .into_bytes();
        let configuration = blobs.add("application/vnd.oci.image.config.v1+json", configuration);
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type, "config": configuration, "layers": [layer],
        });
        blobs.manifest = blobs.add(media_type, manifest.to_string().into_bytes());
        Ok(blobs)
    }

    fn configuration(&self, layer: &Value) -> Value {
        json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {"User": USER, "Entrypoint": [self.entrypoint], "WorkingDir": "/", "Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": [layer]},
        })
    }

    fn layer(&self) -> io::Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        for folder in folders_of(self.files.keys()) {
            tar.append_data(
                &mut header(tar::EntryType::Directory, 0),
                relative(&folder),
                io::empty(),
            )?;
        }
        for (path, content) in &self.files {
            let mut header = header(tar::EntryType::Regular, content.len());
            tar.append_data(&mut header, relative(path), content.as_slice())?;
        }
        tar.into_inner()
    }
}

/// The contents of an archive, by their digests.
#[derive(Default)]
struct Blobs {
    contents: BTreeMap<String, Vec<u8>>,
    manifest: Value,
}

impl Blobs {
    /// Adds a content and returns its descriptor.
    fn add(&mut self, media_type: &str, content: Vec<u8>) -> Value {
        let digest = hex(&Sha256::digest(&content));
        let descriptor = json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len()});
        self.contents.insert(digest, content);
        descriptor
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn write_archive(archive: &Path, blobs: &Blobs, name: &str) -> io::Result<()> {
    let mut manifest = blobs.manifest.clone();
    manifest["annotations"] =
        json!({"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name});
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest],
    });
    let mut files = vec![
        (
            "oci-layout".to_owned(),
            json!({"imageLayoutVersion": "1.0.0"})
                .to_string()
                .into_bytes(),
        ),
        ("index.json".to_owned(), index.to_string().into_bytes()),
    ];
    files.extend(
        blobs
            .contents
            .iter()
            .map(|(digest, content)| (format!("blobs/sha256/{digest}"), content.clone())),
    );
    let mut tar = tar::Builder::new(File::create(archive)?);
    for (path, content) in files {
        tar.append_data(
            &mut header(tar::EntryType::Regular, content.len()),
            path,
            content.as_slice(),
        )?;
    }
    tar.into_inner()?.sync_all()
}

/// Lists the shared libraries and the loader of a program; none if it is linked statically.
fn list_shared_libraries(program: &Path) -> Result<Vec<PathBuf>, ImageError> {
    let listing = Command::new("ldd").arg(program).output();
    let listing = listing.map_err(ImageError::Start)?;
    if listing.status.success() {
        let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
        let words = listing.split_whitespace();
        let paths = words.filter(|word| word.starts_with('/'));
        return Ok(paths.map(PathBuf::from).collect());
    }
    let said = String::from_utf8_lossy(&listing.stderr).trim().to_owned();
    if said.contains("not a dynamic executable") {
        return Ok(Vec::new());
    }
    Err(ImageError::Libraries {
        path: program.to_path_buf(),
        said,
    })
}

fn folders_of<'a>(files: impl Iterator<Item = &'a PathBuf>) -> BTreeSet<PathBuf> {
    let ancestors = files.flat_map(|file| file.ancestors().skip(1));
    ancestors
        .filter(|folder| folder.parent().is_some())
        .map(Path::to_path_buf)
        .collect()
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn header(kind: tar::EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o755);
    header.set_mtime(0);
    header
}

/// The name of the processor architecture as OCI spells it, which follows Go.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ImageError> {
    fs::read(path).map_err(|source| ImageError::Read {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive_of(program: &Path) -> BTreeMap<String, Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.tar");
        let image = Image::of_program("dev.local/x:1", program, "/x")
            .unwrap()
            .label("title", "x");
        image.write(&path).unwrap();
        entries_of(&fs::read(path).unwrap())
    }

    fn entries_of(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            io::Read::read_to_end(&mut entry, &mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        });
        entries.collect()
    }

    fn blob<'a>(archive: &'a BTreeMap<String, Vec<u8>>, descriptor: &Value) -> &'a [u8] {
        let digest = descriptor["digest"]
            .as_str()
            .unwrap()
            .strip_prefix("sha256:")
            .unwrap();
        &archive[&format!("blobs/sha256/{digest}")]
    }

    #[test]
    fn an_image_holds_the_program_its_loader_and_its_libraries_and_no_root() {
        let archive = archive_of(&std::env::current_exe().unwrap());
        let index: Value = serde_json::from_slice(&archive["index.json"]).unwrap();
        assert_eq!(
            index["manifests"][0]["annotations"]["io.containerd.image.name"],
            "dev.local/x:1"
        );
        let manifest: Value =
            serde_json::from_slice(blob(&archive, &index["manifests"][0])).unwrap();
        let configuration: Value =
            serde_json::from_slice(blob(&archive, &manifest["config"])).unwrap();
        assert_eq!(configuration["config"]["User"], "65532:65532");
        assert_eq!(configuration["config"]["Labels"]["title"], "x");
        let layer = entries_of(blob(&archive, &manifest["layers"][0]));
        assert!(layer.contains_key("x"));
        assert!(
            layer.keys().any(|path| path.ends_with("libc.so.6")),
            "{:?}",
            layer.keys()
        );
        assert!(
            layer.keys().any(|path| path.contains("/ld-linux")),
            "{:?}",
            layer.keys()
        );
    }

    #[test]
    fn the_same_content_gives_the_same_bytes() {
        let program = std::env::current_exe().unwrap();
        assert_eq!(archive_of(&program), archive_of(&program));
    }
}
