package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// Exporter asks the API server at each scrape: /metrics gives metrics of objects by the names of kube-state-metrics (which
// could not be had here as a module), /cadvisor those of containers from every kubelet, with the node's name.
type Exporter struct {
	server     string
	token      string // path: the kubelet renews it
	client     *http.Client
	namespaces []string // none: all
}

func newExporter() (*Exporter, error) {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	return &Exporter{
		server: "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")),
		token:  account + "token",
		client: &http.Client{Timeout: 12 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool}, MaxIdleConnsPerHost: 4}},
		namespaces: strings.FieldsFunc(os.Getenv("NAMESPACES"), func(letter rune) bool { return letter == ',' }),
	}, nil
}

// ServeHTTP gives metrics, or says that the API server could not be asked.
func (exporter *Exporter) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	var err error
	out := &strings.Builder{}
	switch request.URL.Path {
	case "/metrics":
		err = exporter.objects(out)
	case "/cadvisor":
		err = exporter.containers(out)
	case "/healthz":
		out.WriteString("ok\n")
	default:
		http.NotFound(writer, request)
		return
	}
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadGateway)
		return
	}
	writer.Header().Set("Content-Type", "text/plain; version=0.0.4")
	io.WriteString(writer, out.String())
}

func (exporter *Exporter) get(path string) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodGet, exporter.server+path, nil)
	if err != nil {
		return nil, err
	}
	token, err := readSmall(exporter.token)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	response, err := exporter.client.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return response, err
}

// list reads the objects of a kind in the watched namespaces; %s in the path stands for `namespaces/NAME/`, or nothing.
func list[T any](exporter *Exporter, path string) ([]T, error) {
	places := []string{""}
	if len(exporter.namespaces) > 0 && strings.Contains(path, "%s") {
		places = nil
		for _, namespace := range exporter.namespaces {
			places = append(places, "namespaces/"+namespace+"/")
		}
	}
	var found []T
	for _, place := range places {
		response, err := exporter.get(strings.Replace(path, "%s", place, 1))
		if err != nil {
			return nil, err
		}
		var page struct {
			Items []T `json:"items"`
		}
		err = json.NewDecoder(response.Body).Decode(&page)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		found = append(found, page.Items...)
	}
	return found, nil
}

func (exporter *Exporter) objects(out io.Writer) error {
	pods, err := list[Pod](exporter, "/api/v1/%spods")
	if err != nil {
		return err
	}
	deployments, err := list[Workload](exporter, "/apis/apps/v1/%sdeployments")
	if err != nil {
		return err
	}
	sets, err := list[Workload](exporter, "/apis/apps/v1/%sstatefulsets")
	if err != nil {
		return err
	}
	scalers, err := list[Autoscaler](exporter, "/apis/autoscaling/v2/%shorizontalpodautoscalers")
	if err != nil {
		return err
	}
	families := newFamilies()
	for _, pod := range pods {
		families.pod(pod)
	}
	for _, deployment := range deployments {
		families.deployment(deployment)
	}
	for _, set := range sets {
		families.statefulSet(set)
	}
	for _, scaler := range scalers {
		families.autoscaler(scaler)
	}
	families.write(out)
	return nil
}

// containers gives the container metrics of every node that can be asked, with the node's name.
func (exporter *Exporter) containers(out io.Writer) error {
	nodes, err := list[Workload](exporter, "/api/v1/nodes")
	if err != nil {
		return err
	}
	for _, node := range nodes {
		response, err := exporter.get("/api/v1/nodes/" + node.Metadata.Name + "/proxy/metrics/cadvisor")
		if err != nil {
			fmt.Fprintf(os.Stderr, "node %s: %v\n", node.Metadata.Name, err) // the others are still worth telling
			continue
		}
		exporter.relay(out, response.Body, node.Metadata.Name)
		response.Body.Close()
	}
	return nil
}

// relay copies the series of containers in watched namespaces.
func (exporter *Exporter) relay(out io.Writer, from io.Reader, node string) {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 1<<16), 1<<20)
	for lines.Scan() {
		name, rest, ok := strings.Cut(lines.Text(), "{")
		if !ok || !strings.HasPrefix(name, "container_") || strings.Contains(rest, `container=""`) {
			continue
		}
		if exporter.watches(rest) {
			fmt.Fprintf(out, "%s{node=%q,%s\n", name, node, rest)
		}
	}
}

func (exporter *Exporter) watches(labels string) bool {
	if len(exporter.namespaces) == 0 {
		return !strings.Contains(labels, `namespace=""`)
	}
	for _, namespace := range exporter.namespaces {
		if strings.Contains(labels, `namespace="`+namespace+`"`) {
			return true
		}
	}
	return false
}
