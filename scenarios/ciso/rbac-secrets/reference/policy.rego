package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

# Every role but the one that each cluster has by itself.
roles contains o if {
	some o in input.objects
	o.kind in {"Role", "ClusterRole"}
	not builtin(o)
}

builtin(o) if {
	o.kind == "ClusterRole"
	o.metadata.name == "cluster-admin"
}

violations contains o.metadata.name if {
	some o in roles
	some rule in o.rules
	some group in rule.apiGroups
	group in {"", "*"}
	some resource in rule.resources
	resource in {"secrets", "*"}
	some verb in rule.verbs
	verb in {"get", "list", "watch", "*"}
}
