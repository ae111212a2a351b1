package main

// The parts of OTLP over HTTP, as JSON, that programs send and the collector reads:
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Metrics are sums (deltas) and gauges.

// Attribute is a name with a text.
type Attribute struct {
	Key   string `json:"key"`
	Value Text   `json:"value"`
}

// Text is the only type of value that is sent here.
type Text struct {
	StringValue string `json:"stringValue"`
}

// Resource says who sends.
type Resource struct {
	Attributes []Attribute `json:"attributes"`
}

// TraceRequest is what is sent to /v1/traces.
type TraceRequest struct {
	ResourceSpans []ResourceSpans `json:"resourceSpans"`
}

// ResourceSpans are the spans of one sender.
type ResourceSpans struct {
	Resource   Resource     `json:"resource"`
	ScopeSpans []ScopeSpans `json:"scopeSpans"`
}

// ScopeSpans are the spans of one library.
type ScopeSpans struct {
	Spans []Span `json:"spans"`
}

// Span is a request or a call.
type Span struct {
	TraceID    string      `json:"traceId"`
	SpanID     string      `json:"spanId"`
	ParentID   string      `json:"parentSpanId,omitempty"`
	Name       string      `json:"name"`
	Kind       int         `json:"kind"`
	Start      uint64      `json:"startTimeUnixNano,string"`
	End        uint64      `json:"endTimeUnixNano,string"`
	Attributes []Attribute `json:"attributes"`
	Status     Status      `json:"status"`
}

// Status of a span; code 2 is an error.
type Status struct {
	Code    int    `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// MetricRequest is what is sent to /v1/metrics.
type MetricRequest struct {
	ResourceMetrics []ResourceMetrics `json:"resourceMetrics"`
}

// ResourceMetrics are the metrics of one sender.
type ResourceMetrics struct {
	Resource     Resource       `json:"resource"`
	ScopeMetrics []ScopeMetrics `json:"scopeMetrics"`
}

// ScopeMetrics are the metrics of one library.
type ScopeMetrics struct {
	Metrics []Metric `json:"metrics"`
}

// Metric is a gauge, or a sum that tells what came since the last time.
type Metric struct {
	Name  string      `json:"name"`
	Gauge *DataPoints `json:"gauge,omitempty"`
	Sum   *DataPoints `json:"sum,omitempty"`
}

// DataPoints of a metric; Temporality 1 is delta.
type DataPoints struct {
	Temporality int         `json:"aggregationTemporality,omitempty"`
	Monotonic   bool        `json:"isMonotonic,omitempty"`
	Points      []DataPoint `json:"dataPoints"`
}

// DataPoint is a value with labels.
type DataPoint struct {
	Attributes []Attribute `json:"attributes"`
	Time       uint64      `json:"timeUnixNano,string"`
	Value      float64     `json:"asDouble"`
}

var spanKinds = map[string]int{"Internal": 1, "Server": 2, "Client": 3, "Producer": 4, "Consumer": 5}

var kindLabels = []string{"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT",
	"SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"}

func attributes(values map[string]string) []Attribute {
	found := make([]Attribute, 0, len(values))
	for key, value := range values {
		found = append(found, Attribute{key, Text{value}})
	}
	return found
}

func values(attributes []Attribute) map[string]string {
	found := make(map[string]string, len(attributes))
	for _, attribute := range attributes {
		found[attribute.Key] = attribute.Value.StringValue
	}
	return found
}
