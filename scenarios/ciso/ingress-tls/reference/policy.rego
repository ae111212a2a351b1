package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

ingresses contains o if {
	some o in input.objects
	o.kind == "Ingress"
}

violations contains o.metadata.name if {
	some o in ingresses
	count(object.get(o.spec, "rules", [])) == 0
}

violations contains o.metadata.name if {
	some o in ingresses
	some rule in o.spec.rules
	not encrypted(o, rule)
}

encrypted(o, rule) if {
	some entry in o.spec.tls
	entry.secretName != ""
	rule.host in entry.hosts
}
