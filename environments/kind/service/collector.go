package main

import (
	"encoding/json"
	"io"
	"net/http"
	"sort"
	"strconv"
	"sync"
	"time"
)

// The default buckets of the collector's span-metrics connector, and of Istio's proxies, in milliseconds.
var (
	spanBounds = []float64{2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000}
	meshBounds = []float64{0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000,
		600_000, 1_800_000, 3_600_000}
)

const (
	bodyLimit   = 8 << 20
	seriesLimit = 20_000 // label sets of one metric; senders are not trusted with more
	keptSpans   = 30_000
	silence     = 15 * time.Second // after which a sender counts as gone
)

// Collector makes metrics of the spans that programs send, and keeps the newest spans.
//
// It counts on when the programs are gone: a service that nobody can reach any more has a rate of zero, not none.
type Collector struct {
	mutex    sync.Mutex
	calls    *Family
	duration *Histogram
	requests *Family
	times    *Histogram
	opened   *Family
	sums     map[string]*Family
	gauges   map[string]map[string]*Reported
	spans    []KeptSpan
}

// Reported is a gauge with the labels that it has, by the pod that told it.
type Reported struct {
	labels []Label
	pods   map[string]told
}

type told struct {
	value float64
	at    time.Time
}

// KeptSpan is a span with where it comes from, as /spans gives it.
type KeptSpan struct {
	Span
	Service   string            `json:"service"`
	Namespace string            `json:"namespace"`
	Pod       string            `json:"pod"`
	Described map[string]string `json:"described"` // its attributes
}

func newCollector() *Collector {
	return &Collector{
		calls:    newFamily("traces_span_metrics_calls_total", "counter"),
		duration: newHistogram("traces_span_metrics_duration_milliseconds", spanBounds),
		requests: newFamily("istio_requests_total", "counter"),
		times:    newHistogram("istio_request_duration_milliseconds", meshBounds),
		opened:   newFamily("istio_tcp_connections_opened_total", "counter"),
		sums:     map[string]*Family{},
		gauges:   map[string]map[string]*Reported{},
	}
}

// ServeHTTP takes OTLP (JSON) and gives metrics and spans.
func (collector *Collector) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	switch request.URL.Path {
	case "/v1/traces":
		var sent TraceRequest
		if received(writer, request, &sent) {
			collector.takeSpans(sent)
		}
	case "/v1/metrics":
		var sent MetricRequest
		if received(writer, request, &sent) {
			collector.takeMetrics(sent, time.Now())
		}
	case "/metrics":
		writer.Header().Set("Content-Type", "text/plain; version=0.0.4")
		collector.write(writer, time.Now())
	case "/spans":
		collector.serveSpans(writer, request)
	case "/healthz":
		io.WriteString(writer, "ok\n")
	default:
		http.NotFound(writer, request)
	}
}

func received(writer http.ResponseWriter, request *http.Request, into any) bool {
	if request.Method != http.MethodPost {
		http.Error(writer, "POST", http.StatusMethodNotAllowed)
		return false
	}
	if err := json.NewDecoder(io.LimitReader(request.Body, bodyLimit)).Decode(into); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return false
	}
	writer.Header().Set("Content-Type", "application/json")
	io.WriteString(writer, "{}")
	return true
}

func (collector *Collector) takeSpans(sent TraceRequest) {
	collector.mutex.Lock()
	defer collector.mutex.Unlock()
	for _, part := range sent.ResourceSpans {
		from := values(part.Resource.Attributes)
		for _, scope := range part.ScopeSpans {
			for _, span := range scope.Spans {
				described := values(span.Attributes)
				if _, mesh := described[destination]; mesh {
					collector.countMesh(from, span, described)
					continue
				}
				if from[metricsFrom] != "none" {
					collector.countSpan(from, span)
				}
				collector.keep(KeptSpan{span, from["service.name"], from["k8s.namespace.name"], from["k8s.pod.name"], described})
			}
		}
	}
}

func (collector *Collector) keep(span KeptSpan) {
	span.Attributes = nil // they are in Described
	if len(collector.spans) >= keptSpans {
		collector.spans = append(collector.spans[:0], collector.spans[keptSpans/10:]...)
	}
	collector.spans = append(collector.spans, span)
}

func (span Span) milliseconds() float64 { return max(float64(span.End)-float64(span.Start), 0) / 1e6 }

func (collector *Collector) countSpan(from map[string]string, span Span) {
	if len(collector.calls.samples) >= seriesLimit || span.Kind < 0 || span.Kind >= len(kindLabels) {
		return
	}
	code := "STATUS_CODE_UNSET"
	if span.Status.Code == 2 {
		code = "STATUS_CODE_ERROR"
	}
	labels := []Label{{"namespace", from["k8s.namespace.name"]}, {"service_name", from["service.name"]},
		{"span_name", span.Name}, {"span_kind", kindLabels[span.Kind]}, {"status_code", code}}
	collector.calls.add(1, labels...)
	collector.duration.observe(span.milliseconds(), labels...)
}

func (collector *Collector) countMesh(from map[string]string, span Span, described map[string]string) {
	if len(collector.requests.samples) >= seriesLimit {
		return
	}
	pair := []Label{{"namespace", from["k8s.namespace.name"]}, {"reporter", "destination"},
		{"source_workload", from["service.name"]}, {"destination_workload", described[destination]},
		{"destination_service_name", described[destinationService]}}
	if described[connected] == "true" {
		collector.opened.add(1, pair...)
	}
	labels := append(pair, Label{"response_code", described[responseCode]})
	collector.requests.add(1, labels...)
	collector.times.observe(span.milliseconds(), labels...)
}

func (collector *Collector) takeMetrics(sent MetricRequest, now time.Time) {
	collector.mutex.Lock()
	defer collector.mutex.Unlock()
	for _, part := range sent.ResourceMetrics {
		from := values(part.Resource.Attributes)
		for _, scope := range part.ScopeMetrics {
			for _, metric := range scope.Metrics {
				collector.take(from, metric, now)
			}
		}
	}
}

func (collector *Collector) take(from map[string]string, metric Metric, now time.Time) {
	labelled := func(point DataPoint) []Label {
		labels := []Label{{"namespace", from["k8s.namespace.name"]}}
		for _, attribute := range point.Attributes {
			labels = append(labels, Label{attribute.Key, attribute.Value.StringValue})
		}
		sort.Slice(labels, func(one, other int) bool { return labels[one].name < labels[other].name })
		return labels
	}
	if metric.Sum != nil {
		family := collector.sums[metric.Name]
		if family == nil {
			family = newFamily(metric.Name, "counter")
			collector.sums[metric.Name] = family
		}
		for _, point := range metric.Sum.Points {
			if len(family.samples) < seriesLimit {
				family.add(point.Value, labelled(point)...)
			}
		}
	}
	if metric.Gauge != nil {
		gauges := collector.gauges[metric.Name]
		if gauges == nil {
			gauges = map[string]*Reported{}
			collector.gauges[metric.Name] = gauges
		}
		for _, point := range metric.Gauge.Points {
			labels := labelled(point)
			key := rendered(labels)
			if gauges[key] == nil && len(gauges) < seriesLimit {
				gauges[key] = &Reported{labels, map[string]told{}}
			}
			if reported := gauges[key]; reported != nil {
				reported.pods[from["k8s.pod.name"]] = told{point.Value, now}
			}
		}
	}
}

// write gives all metrics. A gauge is the sum over the pods that still tell it: zero where none does any more.
func (collector *Collector) write(out io.Writer, now time.Time) {
	collector.mutex.Lock()
	defer collector.mutex.Unlock()
	for _, family := range []*Family{collector.calls, collector.requests, collector.opened} {
		family.write(out)
	}
	collector.duration.write(out)
	collector.times.write(out)
	for _, family := range sorted(collector.sums) {
		family.write(out)
	}
	var gauges []*Family
	for name, series := range collector.gauges {
		family := newFamily(name, "gauge")
		for _, reported := range series {
			total := 0.0
			for pod, last := range reported.pods {
				if now.Sub(last.at) > silence {
					delete(reported.pods, pod)
					continue
				}
				total += last.value
			}
			family.set(total, reported.labels...)
		}
		gauges = append(gauges, family)
	}
	sort.Slice(gauges, func(one, other int) bool { return gauges[one].name < gauges[other].name })
	for _, family := range gauges {
		family.write(out)
	}
}

func sorted(families map[string]*Family) []*Family {
	found := make([]*Family, 0, len(families))
	for _, family := range families {
		found = append(found, family)
	}
	sort.Slice(found, func(one, other int) bool { return found[one].name < found[other].name })
	return found
}

// serveSpans gives the spans that ended after `since` (nanoseconds of the epoch), the oldest first, one JSON object a line.
func (collector *Collector) serveSpans(writer http.ResponseWriter, request *http.Request) {
	since, _ := strconv.ParseUint(request.URL.Query().Get("since"), 10, 64)
	collector.mutex.Lock()
	found := []KeptSpan{}
	for _, span := range collector.spans {
		if span.End > since {
			found = append(found, span)
		}
	}
	collector.mutex.Unlock()
	sort.SliceStable(found, func(one, other int) bool { return found[one].End < found[other].End })
	writer.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(writer)
	for _, span := range found {
		lines.Encode(span)
	}
}
