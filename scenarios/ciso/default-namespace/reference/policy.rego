package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

violations contains o.metadata.name if {
	some o in input.objects
	o.kind in {"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"}
	object.get(o.metadata, "namespace", "") in {"", "default"}
}
