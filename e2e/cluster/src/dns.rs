//! Runs `CoreDNS` as a plain process outside of pods, behind the Service that pods use for DNS.

use std::time::Duration;

use crate::daemon::DaemonError;
use crate::layout::Layout;
use crate::network::{DNS, NODE};

/// Port of the readiness check.
const READY_PORT: u16 = 8181;

/// Starts `CoreDNS` and returns when it knows the cluster's Services.
pub fn start(layout: &Layout) -> Result<(), DaemonError> {
    let configuration = layout.write("Corefile", &configuration(layout))?;
    let mut coredns = layout.network.command(&layout.programs.coredns);
    coredns.arg("-conf").arg(configuration);
    let process = layout.start("coredns", &mut coredns)?;
    process.await_ready(&layout.folder, Duration::from_mins(1), || {
        layout.check_http(READY_PORT, "/ready")
    })
}

/// The manifest of the Service for `CoreDNS`.
pub fn manifest() -> String {
    format!(
        "apiVersion: v1\n\
         kind: Service\n\
         metadata: {{name: kube-dns, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}\n\
         spec:\n\
         \x20 clusterIP: {DNS}\n\
         \x20 ports: [{{name: dns, port: 53, protocol: UDP}}, {{name: dns-tcp, port: 53, protocol: TCP}}]\n\
         ---\n\
         apiVersion: discovery.k8s.io/v1\n\
         kind: EndpointSlice\n\
         metadata: {{name: kube-dns, namespace: kube-system, labels: {{kubernetes.io/service-name: kube-dns}}}}\n\
         addressType: IPv4\n\
         endpoints: [{{addresses: ['{NODE}'], conditions: {{ready: true}}}}]\n\
         ports: [{{name: dns, port: 53, protocol: UDP}}, {{name: dns-tcp, port: 53, protocol: TCP}}]\n"
    )
}

fn configuration(layout: &Layout) -> String {
    let kubeconfig = layout.kubeconfig().display().to_string();
    format!(
        ".:53 {{\n\
         \x20   bind {NODE}\n\
         \x20   errors\n\
         \x20   ready {NODE}:{READY_PORT}\n\
         \x20   kubernetes cluster.local {{\n\
         \x20       kubeconfig {kubeconfig}\n\
         \x20       ttl 5\n\
         \x20   }}\n\
         \x20   cache 5\n\
         }}\n"
    )
}
