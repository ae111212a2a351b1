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

strangers := {
	["User", "system:anonymous"],
	["Group", "system:unauthenticated"],
	["Group", "system:authenticated"],
	["Group", "system:serviceaccounts"],
}

violations contains o.metadata.name if {
	some o in bindings
	some subject in o.subjects
	[subject.kind, subject.name] in strangers
}
