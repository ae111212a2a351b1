package main

import (
	"io"
	"strings"
)

// What is read of objects: only the fields that metrics need.

// Metadata of an object.
type Metadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	UID       string `json:"uid"`
}

// Condition of an object.
type Condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

// State of a container.
type State struct {
	Waiting    *Reason `json:"waiting"`
	Terminated *Reason `json:"terminated"`
}

// Reason of a state.
type Reason struct {
	Reason string `json:"reason"`
}

// Pod is a pod.
type Pod struct {
	Metadata Metadata `json:"metadata"`
	Spec     struct {
		NodeName   string `json:"nodeName"`
		Containers []struct {
			Name      string                       `json:"name"`
			Resources map[string]map[string]string `json:"resources"`
		} `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase             string      `json:"phase"`
		Reason            string      `json:"reason"`
		Conditions        []Condition `json:"conditions"`
		ContainerStatuses []struct {
			Name         string `json:"name"`
			Ready        bool   `json:"ready"`
			RestartCount int    `json:"restartCount"`
			State        State  `json:"state"`
			LastState    State  `json:"lastState"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// Workload is a Deployment or a StatefulSet; of a node only its name is read.
type Workload struct {
	Metadata Metadata `json:"metadata"`
	Spec     struct {
		Replicas *int `json:"replicas"`
	} `json:"spec"`
	Status struct {
		Available  int         `json:"availableReplicas"`
		Updated    int         `json:"updatedReplicas"`
		Ready      int         `json:"readyReplicas"`
		Conditions []Condition `json:"conditions"`
	} `json:"status"`
}

// Autoscaler is a HorizontalPodAutoscaler.
type Autoscaler struct {
	Metadata Metadata `json:"metadata"`
	Spec     struct {
		Min *int `json:"minReplicas"`
		Max int  `json:"maxReplicas"`
	} `json:"spec"`
	Status struct {
		Current int `json:"currentReplicas"`
		Desired int `json:"desiredReplicas"`
	} `json:"status"`
}

var (
	phases   = []string{"Pending", "Succeeded", "Failed", "Unknown", "Running"}
	statuses = []string{"True", "False", "Unknown"}
)

// Families are the metrics of objects, by name, in the order in which they were first met.
type Families struct {
	known map[string]*Family
	order []*Family
}

func newFamilies() *Families { return &Families{known: map[string]*Family{}} }

func (families *Families) gauge(name string, value float64, labels ...Label) {
	families.of(name, "gauge").set(value, labels...)
}

func (families *Families) of(name, kind string) *Family {
	found := families.known[name]
	if found == nil {
		found = newFamily(name, kind)
		families.known[name] = found
		families.order = append(families.order, found)
	}
	return found
}

func (families *Families) write(out io.Writer) {
	for _, family := range families.order {
		family.write(out)
	}
}

func truth(value bool) float64 {
	if value {
		return 1
	}
	return 0
}

func (families *Families) pod(pod Pod) {
	identity := []Label{{"namespace", pod.Metadata.Namespace}, {"pod", pod.Metadata.Name}, {"uid", pod.Metadata.UID}}
	with := func(more ...Label) []Label { return append(append([]Label{}, identity...), more...) }
	for _, phase := range phases {
		families.gauge("kube_pod_status_phase", truth(phase == pod.Status.Phase), with(Label{"phase", phase})...)
	}
	for _, condition := range pod.Status.Conditions {
		for _, status := range statuses {
			if condition.Type == "Ready" {
				label := Label{"condition", strings.ToLower(status)}
				families.gauge("kube_pod_status_ready", truth(status == condition.Status), with(label)...)
			}
		}
	}
	for _, container := range pod.Status.ContainerStatuses {
		name := Label{"container", container.Name}
		restarts := families.of("kube_pod_container_status_restarts_total", "counter")
		restarts.set(float64(container.RestartCount), with(name)...)
		families.gauge("kube_pod_container_status_ready", truth(container.Ready), with(name)...)
		if waiting := container.State.Waiting; waiting != nil && waiting.Reason != "" {
			families.gauge("kube_pod_container_status_waiting_reason", 1, with(name, Label{"reason", waiting.Reason})...)
		}
		if ended := container.LastState.Terminated; ended != nil && ended.Reason != "" {
			families.gauge("kube_pod_container_status_last_terminated_reason", 1, with(name, Label{"reason", ended.Reason})...)
		}
	}
	if pod.Status.Phase == "Pending" || pod.Status.Phase == "Running" {
		families.budgets(pod)
	}
}

var budgets = []struct{ resource, part, metric string }{
	{"cpu", "requests", "cluster:namespace:pod_cpu:active:kube_pod_container_resource_requests"},
	{"cpu", "limits", "cluster:namespace:pod_cpu:active:kube_pod_container_resource_limits"},
	{"memory", "requests", "cluster:namespace:pod_memory:active:kube_pod_container_resource_requests"},
	{"memory", "limits", "cluster:namespace:pod_memory:active:kube_pod_container_resource_limits"},
}

func (families *Families) budgets(pod Pod) {
	for _, container := range pod.Spec.Containers {
		for _, budget := range budgets {
			if amount, ok := quantity(container.Resources[budget.part][budget.resource]); ok {
				families.gauge(budget.metric, amount, Label{"namespace", pod.Metadata.Namespace}, Label{"pod", pod.Metadata.Name},
					Label{"container", container.Name}, Label{"node", pod.Spec.NodeName}, Label{"resource", budget.resource})
			}
		}
	}
}

func (families *Families) deployment(deployment Workload) {
	namespace, name := Label{"namespace", deployment.Metadata.Namespace}, Label{"deployment", deployment.Metadata.Name}
	families.gauge("kube_deployment_spec_replicas", replicas(deployment.Spec.Replicas), namespace, name)
	families.gauge("kube_deployment_status_replicas_available", float64(deployment.Status.Available), namespace, name)
	families.gauge("kube_deployment_status_replicas_updated", float64(deployment.Status.Updated), namespace, name)
	for _, condition := range deployment.Status.Conditions {
		for _, status := range statuses {
			families.gauge("kube_deployment_status_condition", truth(status == condition.Status), namespace, name,
				Label{"condition", condition.Type}, Label{"status", strings.ToLower(status)})
		}
	}
}

func (families *Families) statefulSet(set Workload) {
	namespace, name := Label{"namespace", set.Metadata.Namespace}, Label{"statefulset", set.Metadata.Name}
	families.gauge("kube_statefulset_replicas", replicas(set.Spec.Replicas), namespace, name)
	families.gauge("kube_statefulset_status_replicas_ready", float64(set.Status.Ready), namespace, name)
}

func (families *Families) autoscaler(scaler Autoscaler) {
	namespace := Label{"namespace", scaler.Metadata.Namespace}
	name := Label{"horizontalpodautoscaler", scaler.Metadata.Name}
	families.gauge("kube_horizontalpodautoscaler_spec_min_replicas", replicas(scaler.Spec.Min), namespace, name)
	families.gauge("kube_horizontalpodautoscaler_spec_max_replicas", float64(scaler.Spec.Max), namespace, name)
	families.gauge("kube_horizontalpodautoscaler_status_current_replicas", float64(scaler.Status.Current), namespace, name)
	families.gauge("kube_horizontalpodautoscaler_status_desired_replicas", float64(scaler.Status.Desired), namespace, name)
}

// replicas has the API's default.
func replicas(number *int) float64 {
	if number == nil {
		return 1
	}
	return float64(*number)
}
