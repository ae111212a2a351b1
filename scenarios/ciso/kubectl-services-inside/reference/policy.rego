package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

violations contains o.metadata.name if {
	some o in input.objects
	o.kind == "Service"
	object.get(o.spec, "type", "ClusterIP") in {"NodePort", "LoadBalancer"}
}

violations contains o.metadata.name if {
	some o in input.objects
	o.kind == "Service"
	count(object.get(o.spec, "externalIPs", [])) > 0
}
