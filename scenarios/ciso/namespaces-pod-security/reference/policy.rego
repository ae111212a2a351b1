package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

# Every namespace but the cluster's own, by their names.
namespaces contains o if {
	some o in input.objects
	o.kind == "Namespace"
	not o.metadata.name in {"kube-system", "kube-public", "kube-node-lease"}
}

violations contains o.metadata.name if {
	some o in namespaces
	labels := object.get(o.metadata, "labels", {})
	not object.get(labels, "pod-security.kubernetes.io/enforce", "") in {"restricted", "baseline"}
}
