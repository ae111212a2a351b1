package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

servers contains o if {
	some o in input.objects
	o.kind == "Pod"
	o.metadata.labels.component == "kube-apiserver"
}

# All arguments of a server, of command and args; the last one wins where a flag is given twice.
arguments(o) := [argument |
	some c in o.spec.containers
	some part in ["command", "args"]
	some argument in object.get(c, part, [])
]

values(o, flag) := [value |
	some argument in arguments(o)
	startswith(argument, concat("", ["--", flag, "="]))
	value := substring(argument, count(flag) + 3, -1)
]

setting(o, flag) := found[count(found) - 1] if {
	found := values(o, flag)
	count(found) > 0
}

violations contains o.metadata.name if {
	some o in servers
	not refuses_strangers(o)
}

refuses_strangers(o) if setting(o, "anonymous-auth") == "false"
