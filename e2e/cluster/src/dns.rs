//! `CoreDNS`, beside the pods as a plain process behind the Service that pods are told to ask.

use std::time::Duration;

use crate::daemon::DaemonError;
use crate::network::{DNS, NODE};
use crate::site::Site;

/// The port of its readiness check.
const READY_PORT: u16 = 8181;

/// Starts `CoreDNS` and returns when it knows the cluster's Services.
pub fn start(site: &Site) -> Result<(), DaemonError> {
    let configuration = site.write("Corefile", &configuration(site))?;
    let mut coredns = site.network.command(&site.programs.coredns);
    coredns.arg("-conf").arg(configuration);
    let process = site.start("coredns", &mut coredns)?;
    process.await_ready(&site.folder, Duration::from_mins(1), || {
        site.answers_http(READY_PORT, "/ready")
    })
}

/// The Service that leads to it.
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

fn configuration(site: &Site) -> String {
    let kubeconfig = site.kubeconfig().display().to_string();
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
