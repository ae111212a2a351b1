package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

# Every role but those that each API server brings along.
roles contains o if {
	some o in input.objects
	o.kind in {"Role", "ClusterRole"}
	not builtin(o)
}

builtin(o) if o.metadata.labels["kubernetes.io/bootstrapping"] == "rbac-defaults"

violations contains o.metadata.name if {
	some o in roles
	some rule in o.rules
	some field in ["verbs", "resources", "apiGroups", "nonResourceURLs"]
	some value in rule[field]
	contains(value, "*")
}
