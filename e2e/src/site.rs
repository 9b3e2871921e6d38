//! The cluster under test, and the clients that all claims share.

use std::sync::OnceLock;

use innkeeper_cluster::cluster::Cluster;
use tokio::runtime::Runtime;

/// The environment variable that names the cluster under test.
const CLUSTER_VARIABLE: &str = "INNKEEPER_E2E_CLUSTER";

/// The cluster under test, and the clients that all claims share.
pub struct Site {
    /// Name of the cluster on this machine.
    pub name: String,
    pub cluster: Cluster,
    /// A client of the Kubernetes API.
    pub client: kube::Client,
    runtime: Runtime,
}

impl Site {
    fn find() -> Self {
        let name = std::env::var_os(CLUSTER_VARIABLE)
            .expect("run this with: cargo xtask test --only cluster");
        let name = name.into_string().unwrap();
        let cluster = Cluster::find(&name).unwrap().expect("the cluster runs");
        let runtime = Runtime::new().unwrap();
        // The client reads KUBECONFIG, which is set for every command in the cluster's network.
        let client = runtime.block_on(kube::Client::try_default()).unwrap();
        Self {
            name,
            cluster,
            client,
            runtime,
        }
    }

    /// Runs a future to its end.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

/// The cluster under test.
pub fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(Site::find)
}
