package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	pushEvery = time.Second
	spanLimit = 8192 // what does not fit is dropped, as exporters do

	destination        = "mesh.destination_workload"
	destinationService = "mesh.destination_service_name"
	connected          = "mesh.connected"
	responseCode       = "mesh.response_code"
	metricsFrom        = "telemetry.metrics"
)

// Telemetrist collects what the program tells of itself and sends it every second.
type Telemetrist struct {
	document *Document
	endpoint string
	client   *http.Client
	mutex    sync.Mutex
	spans    []Span
	reached  map[string]bool // consumer group → whether its broker answered the last time
	closed   map[string]int  // connections given up since the last push
	told     map[string]int64
}

func newTelemetrist(document *Document, env Environment) *Telemetrist {
	found := &Telemetrist{document: document, client: &http.Client{Timeout: 5 * time.Second},
		reached: map[string]bool{}, closed: map[string]int{}, told: map[string]int64{}}
	found.endpoint = strings.TrimSuffix(env["OTEL_EXPORTER_OTLP_ENDPOINT"], "/")
	if found.endpoint == "" && document.Telemetry.Collector != "" {
		host, port := splitAddress(document.Telemetry.Collector, 4318)
		if host == "gateway" {
			host = gateway()
		}
		if host != "" {
			found.endpoint = "http://" + net.JoinHostPort(host, strconv.Itoa(port))
		}
	}
	return found
}

// gateway is the address of the pod's default route: the node. It is reached without the cluster's DNS, and whatever
// network policies say.
func gateway() string {
	table, err := readSmall("/proc/net/route")
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(table, "\n")[1:] {
		fields := strings.Fields(line)
		if len(fields) > 2 && fields[1] == "00000000" {
			if raw, err := hex.DecodeString(fields[2]); err == nil && len(raw) == 4 {
				address := make(net.IP, 4)
				binary.BigEndian.PutUint32(address, binary.LittleEndian.Uint32(raw))
				return address.String()
			}
		}
	}
	return ""
}

// request notes the span of a request that was served.
func (telemetrist *Telemetrist) request(route Route, parent, span Trace, begin time.Time, failed bool) {
	if route.Span != nil && telemetrist.document.Telemetry.Metrics != "mesh" {
		telemetrist.note(route.Span, parent, span, begin, failed, nil)
	}
}

// call notes the span of a call, or what a mesh sees of it.
func (telemetrist *Telemetrist) call(call Call, parent, span Trace, begin time.Time, answer Answer, host string, port int) {
	failed := answer.Kind != success
	more := map[string]string{"server.address": host, "server.port": strconv.Itoa(port)}
	form := call.Span
	if telemetrist.document.Telemetry.Metrics == "mesh" {
		form = &SpanForm{Name: call.Path, Kind: "Client"}
		workload := call.Services[rand.IntN(len(call.Services))]
		for _, service := range call.Services {
			if service == answer.Server {
				workload = service
			}
		}
		more = map[string]string{destination: workload, destinationService: call.Host, responseCode: "200",
			connected: strconv.FormatBool(answer.Connected)}
		if failed {
			more[responseCode] = strconv.Itoa(max(answer.Status, http.StatusServiceUnavailable))
		}
	}
	if form != nil {
		telemetrist.note(form, parent, span, begin, failed, more)
	}
}

func (telemetrist *Telemetrist) note(form *SpanForm, parent, span Trace, begin time.Time, failed bool, more map[string]string) {
	described := form.Attributes
	status := Status{}
	if failed {
		described, status = form.Failed, Status{Code: 2}
	}
	found := Span{
		TraceID: span.id, SpanID: span.span, ParentID: parent.span, Name: form.Name, Kind: spanKinds[form.Kind],
		Start: uint64(begin.UnixNano()), End: uint64(time.Now().UnixNano()), Status: status,
		Attributes: append(attributes(described), attributes(more)...),
	}
	telemetrist.mutex.Lock()
	defer telemetrist.mutex.Unlock()
	if telemetrist.endpoint != "" && len(telemetrist.spans) < spanLimit {
		telemetrist.spans = append(telemetrist.spans, found)
	}
}

// consumed notes whether a consumer reached its broker.
func (telemetrist *Telemetrist) consumed(group string, reached bool) {
	telemetrist.mutex.Lock()
	defer telemetrist.mutex.Unlock()
	telemetrist.reached[group] = reached
	if !reached {
		telemetrist.closed[group]++
	}
}

// keep sends what was noted, for ever.
func (telemetrist *Telemetrist) keep(program *Program) {
	if telemetrist.endpoint == "" {
		return
	}
	for range time.Tick(pushEvery) {
		telemetrist.mutex.Lock()
		spans := telemetrist.spans
		telemetrist.spans = nil
		telemetrist.mutex.Unlock()
		if len(spans) > 0 {
			telemetrist.send("/v1/traces", TraceRequest{[]ResourceSpans{{telemetrist.resource(), []ScopeSpans{{spans}}}}})
		}
		if metrics := telemetrist.metrics(program); len(metrics) > 0 {
			telemetrist.send("/v1/metrics", MetricRequest{[]ResourceMetrics{{telemetrist.resource(), []ScopeMetrics{{metrics}}}}})
		}
	}
}

func (telemetrist *Telemetrist) resource() Resource {
	host, _ := os.Hostname()
	return Resource{attributes(map[string]string{
		"service.name": telemetrist.document.Service, "k8s.namespace.name": telemetrist.document.Namespace,
		"k8s.pod.name": host, metricsFrom: telemetrist.document.Telemetry.Metrics,
	})}
}

// metrics are those of a broker and of its consumers, by the names of the Kafka exporter.
func (telemetrist *Telemetrist) metrics(program *Program) []Metric {
	telemetrist.mutex.Lock()
	defer telemetrist.mutex.Unlock()
	var found []Metric
	now := uint64(time.Now().UnixNano())
	point := func(name string, delta bool, value float64, labels map[string]string) {
		points := &DataPoints{Points: []DataPoint{{attributes(labels), now, value}}}
		metric := Metric{Name: name, Gauge: points}
		if delta {
			points.Temporality, points.Monotonic = 1, true
			metric = Metric{Name: name, Sum: points}
		}
		found = append(found, metric)
	}
	for group, reached := range telemetrist.reached {
		members := 0.0
		if reached {
			members = 1
		}
		point("kafka_consumergroup_members", false, members, map[string]string{"consumergroup": group})
		closed := telemetrist.closed[group]
		point("kafka_server_socket_server_metrics_connection_close_total", true, float64(closed), map[string]string{"client": group})
		telemetrist.closed[group] = 0
	}
	for _, topic := range program.brokers {
		for group, state := range topic.state() {
			labels := map[string]string{"consumergroup": group, "topic": topic.name}
			key := topic.name + "/" + group
			point("kafka_consumergroup_lag", false, float64(state[0]), labels)
			point("kafka_consumergroup_current_offset", true, float64(state[1]-telemetrist.told[key]), labels)
			telemetrist.told[key] = state[1]
		}
	}
	return found
}

func (telemetrist *Telemetrist) send(path string, request any) {
	body, err := json.Marshal(request)
	if err != nil {
		return
	}
	response, err := telemetrist.client.Post(telemetrist.endpoint+path, "application/json", bytes.NewReader(body))
	if err == nil {
		response.Body.Close() // what the collector did not take is lost
	}
}
