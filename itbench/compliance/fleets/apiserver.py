"""The static pods of a control plane, with the arguments that the CIS benchmark asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from itbench.compliance.fleets.words import chance

Object = dict[str, Any]


def apiserver(rng: np.random.Generator) -> list[Object]:
    """kube-apiserver, kube-controller-manager and etcd as kubeadm writes them."""
    pki = "/etc/kubernetes/pki"
    server = [
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction" + (",PodSecurity" if chance(rng, 0.5) else ""),
        "--profiling=false",
        "--audit-log-path=/var/log/kubernetes/audit.log",
        f"--audit-log-maxage={int(rng.integers(30, 90))}",
        f"--audit-log-maxbackup={int(rng.integers(10, 30))}",
        f"--audit-log-maxsize={int(rng.integers(100, 300))}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        "--encryption-provider-config=/etc/kubernetes/encryption.yaml",
        "--secure-port=6443",
    ]
    manager = ["--profiling=false", "--use-service-account-credentials=true", "--bind-address=127.0.0.1"]
    etcd = ["--client-cert-auth=true", "--peer-client-cert-auth=true", f"--trusted-ca-file={pki}/etcd/ca.crt"]
    return [
        _static_pod(rng, "kube-apiserver", server),
        _static_pod(rng, "kube-controller-manager", manager),
        _static_pod(rng, "etcd", etcd),
    ]


def _static_pod(rng: np.random.Generator, name: str, arguments: list[str]) -> Object:
    shuffled = [arguments[index] for index in rng.permutation(len(arguments))]
    container: Object = {"name": name, "image": f"registry.k8s.io/{name}:v1.34.2", "command": [name, *shuffled]}
    spec = {"hostNetwork": True, "priorityClassName": "system-node-critical", "containers": [container]}
    meta = {"name": name, "namespace": "kube-system", "labels": {"component": name, "tier": "control-plane"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
