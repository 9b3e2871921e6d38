//! Watches every value of an object with kubectl. Polling would miss values that last only a short
//! time.

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
    /// Starts watching a value of an object, given as kind/name and `JSONPath`, and returns when
    /// the first value has arrived.
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

    /// Reads every value so far.
    pub fn read_values(&self) -> Vec<String> {
        let text = fs::read_to_string(self.seen.path()).unwrap();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for KubectlWatch {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
