package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pods = `{"items": [{"metadata": {"name": "cart-1", "namespace": "shop", "uid": "u1"}, "spec": {"nodeName": "n1",
	"containers": [{"name": "cart", "resources": {"limits": {"cpu": "250m", "memory": "64Mi"}}}]},
	"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [{"name": "cart",
	"ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
	"lastState": {"terminated": {"reason": "OOMKilled"}}}]}}]}`

const deployments = `{"items": [{"metadata": {"name": "cart", "namespace": "shop"}, "spec": {"replicas": 2},
	"status": {"availableReplicas": 1, "conditions": [{"type": "Progressing", "status": "False"}]}}]}`

const cadvisor = `# TYPE container_memory_rss gauge
container_memory_rss{container="cart",namespace="shop",pod="cart-1"} 5
container_memory_rss{container="",namespace="shop",pod="cart-1"} 6
container_memory_rss{container="x",namespace="other",pod="y"} 7
machine_cpu_cores{} 2
`

func exporting(t *testing.T) string {
	t.Helper()
	answers := map[string]string{
		"/api/v1/namespaces/shop/pods":                                  pods,
		"/apis/apps/v1/namespaces/shop/deployments":                     deployments,
		"/apis/apps/v1/namespaces/shop/statefulsets":                    `{"items": []}`,
		"/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers": `{"items": []}`,
		"/api/v1/nodes": `{"items": [{"metadata": {"name": "n1"}}]}`,
		"/api/v1/nodes/n1/proxy/metrics/cadvisor": cadvisor,
	}
	api := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		text, ok := answers[request.URL.Path]
		if !ok || request.Header.Get("Authorization") != "Bearer secret" {
			http.NotFound(writer, request)
			return
		}
		io.WriteString(writer, text)
	}))
	t.Cleanup(api.Close)
	token := filepath.Join(t.TempDir(), "token")
	os.WriteFile(token, []byte("secret\n"), 0o600)
	exporter := httptest.NewServer(&Exporter{server: api.URL, token: token, client: api.Client(), namespaces: []string{"shop"}})
	t.Cleanup(exporter.Close)
	return exporter.URL
}

func read(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

func TestObjectsBecomeMetricsByTheNamesOfKubeStateMetrics(t *testing.T) {
	pod := `{namespace="shop",pod="cart-1",uid="u1"`
	wants(t, read(t, exporting(t)+"/metrics"),
		"kube_pod_status_phase"+pod+`,phase="Running"} 1`,
		"kube_pod_status_phase"+pod+`,phase="Pending"} 0`,
		"kube_pod_status_ready"+pod+`,condition="false"} 1`,
		"kube_pod_container_status_restarts_total"+pod+`,container="cart"} 3`,
		"kube_pod_container_status_waiting_reason"+pod+`,container="cart",reason="CrashLoopBackOff"} 1`,
		"kube_pod_container_status_last_terminated_reason"+pod+`,container="cart",reason="OOMKilled"} 1`,
		`cluster:namespace:pod_cpu:active:kube_pod_container_resource_limits{namespace="shop",pod="cart-1",container="cart",node="n1",resource="cpu"} 0.25`,
		`kube_deployment_spec_replicas{namespace="shop",deployment="cart"} 2`,
		`kube_deployment_status_condition{namespace="shop",deployment="cart",condition="Progressing",status="false"} 1`)
}

func TestContainersOfWatchedNamespacesAreRelayedWithTheirNode(t *testing.T) {
	text := read(t, exporting(t)+"/cadvisor")
	if wanted := `container_memory_rss{node="n1",container="cart",namespace="shop",pod="cart-1"} 5` + "\n"; text != wanted {
		t.Errorf("%q", text)
	}
}

func TestAnAPIServerThatRefusesIsAFailedScrape(t *testing.T) {
	exporter := &Exporter{server: "http://127.0.0.1:1", token: "/etc/hostname", client: http.DefaultClient}
	answer := httptest.NewRecorder()
	exporter.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != http.StatusBadGateway || !strings.Contains(answer.Body.String(), "refused") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestQuantities(t *testing.T) {
	for text, wanted := range map[string]float64{"250m": 0.25, "64Mi": 64 << 20, "2": 2, "1.5Gi": 1.5 * (1 << 30), "1k": 1000} {
		if found, ok := quantity(text); !ok || found != wanted {
			t.Errorf("%s: %v", text, found)
		}
	}
	if _, ok := quantity(""); ok {
		t.Error("nothing is no quantity")
	}
}
