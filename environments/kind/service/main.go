// Command service plays any service of an application file: it does the work, makes the calls, writes the lines and sends
// the spans that its document says. Called `service collector` it receives those spans, `service exporter` gives metrics of
// Kubernetes objects. One static binary, the standard library only.
package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Documents lie here, each called by its service; an image that plays several services has several.
const documents = "/etc/program"

func main() {
	name, mode := filepath.Base(os.Args[0]), ""
	if name == "service" && len(os.Args) > 1 {
		mode = os.Args[1] // under any other name, arguments are meant for the program that it plays
	}
	switch {
	case name == "curl":
		os.Exit(curl(os.Args[1:]))
	case mode == "collector":
		serve(":4318", newCollector())
	case mode == "exporter":
		exporter, err := newExporter()
		stopOn(err)
		serve(":8080", exporter)
	case mode == "check": // documents, before they are packed into images
		for _, path := range os.Args[2:] {
			_, err := readDocument(path)
			stopOn(err)
		}
	default:
		host, _ := os.Hostname()
		path, err := documentFor(documents, host)
		stopOn(err)
		document, err := readDocument(path)
		stopOn(err)
		newProgram(document, environmentOf(os.Environ()), newLogger(os.Stdout)).run()
	}
}

// documentFor chooses among the documents of an image: the only one, or that of the workload whose pod is called `host`.
func documentFor(folder, host string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	best := ""
	for _, entry := range entries {
		service, ok := strings.CutSuffix(entry.Name(), ".json")
		if ok && (len(entries) == 1 || host == service || strings.HasPrefix(host, service+"-")) && len(service) > len(best) {
			best = service
		}
	}
	if best == "" {
		return "", fmt.Errorf("%s: no document for %s", folder, host)
	}
	return filepath.Join(folder, best+".json"), nil
}

func serve(address string, handler http.Handler) {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}
	stopOn(server.ListenAndServe())
}

func stopOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
