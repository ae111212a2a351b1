package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

bindings contains o if {
	some o in input.objects
	o.kind in {"RoleBinding", "ClusterRoleBinding"}
}

violations contains o.metadata.name if {
	some o in bindings
	o.roleRef.kind == "ClusterRole"
	o.roleRef.name == "cluster-admin"
	not builtin(o)
}

builtin(o) if {
	o.kind == "ClusterRoleBinding"
	o.metadata.name == "cluster-admin"
	[subject] := o.subjects
	subject.kind == "Group"
	subject.name == "system:masters"
}
