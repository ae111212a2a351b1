package check

default result := false

result if {
	count(servers) > 0
	count(violations) == 0
}

servers contains o if {
	some o in input.objects
	o.kind == "Pod"
	o.metadata.labels.component == "kube-apiserver"
}

arguments(o) := [argument |
	some c in o.spec.containers
	some part in ["command", "args"]
	some argument in object.get(c, part, [])
]

# All names that a flag is given, whichever of its lists they stand in.
named(o, flag) := {name |
	some argument in arguments(o)
	startswith(argument, concat("", ["--", flag, "="]))
	some name in split(substring(argument, count(flag) + 3, -1), ",")
}

violations contains o.metadata.name if {
	some o in servers
	not "NodeRestriction" in named(o, "enable-admission-plugins")
}

violations contains o.metadata.name if {
	some o in servers
	"AlwaysAdmit" in named(o, "enable-admission-plugins")
}

violations contains o.metadata.name if {
	some o in servers
	some name in {"NodeRestriction", "NamespaceLifecycle", "ServiceAccount"}
	name in named(o, "disable-admission-plugins")
}
