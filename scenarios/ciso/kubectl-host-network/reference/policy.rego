package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

# The specs of all pods, wherever their kind keeps them.
specs contains o.spec if {
	some o in input.objects
	o.kind == "Pod"
}

specs contains o.spec.template.spec if {
	some o in input.objects
	o.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}
}

specs contains o.spec.jobTemplate.spec.template.spec if {
	some o in input.objects
	o.kind == "CronJob"
}

violations contains spec if {
	some spec in specs
	spec.hostNetwork == true
}
