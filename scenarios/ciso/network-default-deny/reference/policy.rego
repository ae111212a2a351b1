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
	not o.metadata.name in shut
}

shut contains policy.metadata.namespace if {
	some policy in input.objects
	policy.kind == "NetworkPolicy"
	selects_all(policy.spec.podSelector)
	"Ingress" in object.get(policy.spec, "policyTypes", ["Ingress"])
	count(object.get(policy.spec, "ingress", [])) == 0
}

selects_all(selector) if {
	count(object.get(selector, "matchLabels", {})) == 0
	count(object.get(selector, "matchExpressions", [])) == 0
}
