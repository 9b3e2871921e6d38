//! Every state that an object goes through, as kubectl sees it: a poll would miss the short ones.

use std::fs::{self, File};
use std::process::{Child, Stdio};

use tempfile::NamedTempFile;

use crate::namespace::Namespace;
use crate::site::site;

/// A running `kubectl get --watch`.
pub struct KubectlWatch {
    kubectl: Child,
    seen: NamedTempFile,
}

impl KubectlWatch {
    /// Begins to watch a value of an object, given as kind/name and `JSONPath`, and returns once it was seen.
    pub fn begin(namespace: Namespace, object: &str, path: &str) -> Self {
        let seen = NamedTempFile::new().unwrap();
        let mut kubectl = site().cluster.kubectl();
        kubectl.args(["--namespace", namespace.0, "get", object, "--watch"]);
        kubectl.arg(format!("--output=jsonpath={path}{{\"\\n\"}}"));
        kubectl.stdout(File::create(seen.path()).unwrap());
        let kubectl = kubectl.stderr(Stdio::null()).spawn().unwrap();
        let watch = Self { kubectl, seen };
        namespace.until(&format!("a first look at {object}"), || {
            match watch.read_values().len() {
                0 => Err("nothing seen".to_owned()),
                _ => Ok(()),
            }
        });
        watch
    }

    /// Every value so far.
    pub fn read_values(&self) -> Vec<String> {
        let text = fs::read_to_string(self.seen.path()).unwrap();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for KubectlWatch {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
