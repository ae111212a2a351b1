package check

default result := false

result if {
	count(input.objects) > 0
	count(violations) == 0
}

workload contains {"namespace": namespace(o), "spec": o.spec} if {
	some o in input.objects
	o.kind == "Pod"
}

workload contains {"namespace": namespace(o), "spec": o.spec.template.spec} if {
	some o in input.objects
	o.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}
}

workload contains {"namespace": namespace(o), "spec": o.spec.jobTemplate.spec.template.spec} if {
	some o in input.objects
	o.kind == "CronJob"
}

namespace(o) := object.get(o.metadata, "namespace", "default")

silent contains {"namespace": namespace(o), "name": o.metadata.name} if {
	some o in input.objects
	o.kind == "ServiceAccount"
	o.automountServiceAccountToken == false
}

violations contains w if {
	some w in workload
	w.spec.automountServiceAccountToken == true
}

violations contains w if {
	some w in workload
	not "automountServiceAccountToken" in object.keys(w.spec)
	not {"namespace": w.namespace, "name": object.get(w.spec, "serviceAccountName", "default")} in silent
}
