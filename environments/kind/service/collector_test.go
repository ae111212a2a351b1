package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func scraped(collector *Collector, now time.Time) string {
	out := &strings.Builder{}
	collector.write(out, now)
	return out.String()
}

// watched is a program whose spans go to a collector of its own.
func watched(t *testing.T, document *Document) (*Program, *Collector, string) {
	collector := newCollector()
	server := httptest.NewServer(collector)
	t.Cleanup(server.Close)
	program, address, _ := started(t, document, Environment{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL})
	return program, collector, address
}

func pushed(program *Program) {
	telemetrist := program.telemetry
	telemetrist.send("/v1/traces", TraceRequest{[]ResourceSpans{{telemetrist.resource(), []ScopeSpans{{telemetrist.spans}}}}})
	telemetrist.spans = nil
}

func wants(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in:\n%s", line, text)
		}
	}
}

func TestSpansBecomeSpanMetrics(t *testing.T) {
	document := simple("cart", Route{Span: &SpanForm{Name: "GET /", Kind: "Server"}})
	document.Telemetry.Metrics = "spans"
	program, collector, address := watched(t, document)
	for range 3 {
		ask(t, address, "/")
	}
	pushed(program)
	labels := `{namespace="shop",service_name="cart",span_name="GET /",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_UNSET"`
	wants(t, scraped(collector, time.Now()), "traces_span_metrics_calls_total"+labels+"} 3",
		"traces_span_metrics_duration_milliseconds_bucket"+labels+`,le="+Inf"} 3`,
		"traces_span_metrics_duration_milliseconds_count"+labels+"} 3")
	if len(collector.spans) != 3 || collector.spans[0].Service != "cart" {
		t.Errorf("kept %v", collector.spans)
	}
}

func TestAMeshSeesTheCallsAtTheCallee(t *testing.T) {
	_, cart, _ := started(t, simple("cart-v2", Route{}), nil)
	document := simple("front", calling(cart, func(call *Call) { call.Services = []string{"cart-v1", "cart-v2"} }))
	document.Telemetry.Metrics = "mesh"
	program, collector, address := watched(t, document)
	ask(t, address, "/")
	pushed(program)
	pair := `{namespace="shop",reporter="destination",source_workload="front",destination_workload="cart-v2",destination_service_name="cart"`
	wants(t, scraped(collector, time.Now()), "istio_requests_total"+pair+`,response_code="200"} 1`,
		"istio_tcp_connections_opened_total"+pair+"} 1")
	if strings.Contains(scraped(collector, time.Now()), "traces_") {
		t.Error("span metrics in a mesh")
	}
}

func TestUnansweredCallsCountAsServiceUnavailable(t *testing.T) {
	document := simple("front", calling("127.0.0.1:1", nil))
	document.Telemetry.Metrics = "mesh"
	program, collector, address := watched(t, document)
	ask(t, address, "/")
	pushed(program)
	text := scraped(collector, time.Now())
	if !strings.Contains(text, `response_code="503"} 1`) || strings.Contains(text, "connections_opened") {
		t.Error(text)
	}
}

func TestConsumersThatAreGoneLeaveAGroupWithoutMembers(t *testing.T) {
	document := simple("accounting", Route{})
	program, collector, _ := watched(t, document)
	program.telemetry.consumed("accounting", true)
	program.telemetry.consumed("accounting", false)
	program.telemetry.consumed("accounting", true)
	telemetrist := program.telemetry
	telemetrist.send("/v1/metrics", MetricRequest{[]ResourceMetrics{{telemetrist.resource(), []ScopeMetrics{{telemetrist.metrics(program)}}}}})
	now := time.Now()
	wants(t, scraped(collector, now), `kafka_consumergroup_members{consumergroup="accounting",namespace="shop"} 1`,
		`kafka_server_socket_server_metrics_connection_close_total{client="accounting",namespace="shop"} 1`)
	wants(t, scraped(collector, now.Add(silence+time.Second)), `kafka_consumergroup_members{consumergroup="accounting",namespace="shop"} 0`)
}

func TestWhatIsNoOTLPIsRefused(t *testing.T) {
	collector := newCollector()
	for _, body := range []string{"", "[]", `{"resourceSpans": 1}`} {
		answer := httptest.NewRecorder()
		collector.ServeHTTP(answer, httptest.NewRequest("POST", "/v1/traces", strings.NewReader(body)))
		if answer.Code != 400 {
			t.Errorf("%q: %d", body, answer.Code)
		}
	}
}
