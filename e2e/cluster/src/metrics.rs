//! Runs metrics-server as a plain process outside of pods, behind the API that `kubectl top` and
//! autoscalers use.

use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::NODE;

/// The port of metrics-server.
const PORT: u16 = 4443;

/// Starts metrics-server. The first metrics are available about 25 s later.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    let kubeconfig = layout.kubeconfig().display().to_string();
    let mut server = layout.network.command(&layout.programs.metrics_server);
    server.arg(format!("--kubeconfig={kubeconfig}"));
    server.arg(format!("--authentication-kubeconfig={kubeconfig}"));
    server.arg(format!("--authorization-kubeconfig={kubeconfig}"));
    server.arg(format!("--bind-address={NODE}"));
    server.arg(format!("--secure-port={PORT}"));
    server.arg(format!(
        "--cert-dir={}",
        layout.folder.join("metrics-server").display()
    ));
    server.args([
        "--kubelet-insecure-tls",
        "--kubelet-preferred-address-types=InternalIP",
    ]);
    server.args(["--metric-resolution=10s", "--kubelet-request-timeout=5s"]);
    layout.start("metrics-server", &mut server).map(drop)
}

/// The manifest of the API for metrics-server.
pub fn manifest() -> String {
    format!(
        "apiVersion: v1\n\
         kind: Service\n\
         metadata: {{name: metrics-server, namespace: kube-system}}\n\
         spec:\n\
         \x20 ports: [{{name: https, port: 443, targetPort: {PORT}}}]\n\
         ---\n\
         apiVersion: discovery.k8s.io/v1\n\
         kind: EndpointSlice\n\
         metadata: {{name: metrics-server, namespace: kube-system, labels: {{kubernetes.io/service-name: metrics-server}}}}\n\
         addressType: IPv4\n\
         endpoints: [{{addresses: ['{NODE}'], conditions: {{ready: true}}}}]\n\
         ports: [{{name: https, port: {PORT}, protocol: TCP}}]\n\
         ---\n\
         apiVersion: apiregistration.k8s.io/v1\n\
         kind: APIService\n\
         metadata: {{name: v1beta1.metrics.k8s.io}}\n\
         spec:\n\
         \x20 group: metrics.k8s.io\n\
         \x20 version: v1beta1\n\
         \x20 groupPriorityMinimum: 100\n\
         \x20 versionPriority: 100\n\
         \x20 insecureSkipTLSVerify: true\n\
         \x20 service: {{name: metrics-server, namespace: kube-system}}\n"
    )
}
