package main

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Paths that belong to the stand-ins for protocols other than HTTP, and to the flag service.
const (
	fetchPath = "/-/fetch"
	flagsPath = "/-/flags"
)

// ServeHTTP answers probes, what belongs to stand-ins, and requests to the service's routes.
func (program *Program) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("Server", program.document.Service)
	switch {
	case strings.HasPrefix(request.UserAgent(), "kube-probe/"):
		io.WriteString(writer, "ok\n")
	case request.URL.Path == flagsPath && program.document.Flags != nil && program.document.Flags.File != "":
		program.serveFlags(writer)
	case request.URL.Path == fetchPath && len(program.brokers) > 0:
		program.serveMessages(writer, request)
	default:
		program.serveRoute(writer, request)
	}
}

func (program *Program) serveRoute(writer http.ResponseWriter, request *http.Request) {
	name, ok := matching(program.document.Routes, request.Method, request.URL.Path)
	if !ok {
		http.Error(writer, "HTTP 404", http.StatusNotFound)
		return
	}
	if refusal, status := program.refuses(request); status != 0 {
		http.Error(writer, refusal, status)
		return
	}
	leave, ok := program.enter(request)
	if !ok {
		<-request.Context().Done() // there is no room: the connection is never taken up, and the caller gives up
		return
	}
	outcome := program.execute(name, traceOf(request.Header))
	leave()
	if outcome.Failed {
		http.Error(writer, outcome.Text, outcome.Status)
		return
	}
	io.WriteString(writer, "ok\n")
}

// refuses is what the program says to who does not know its secret. Who asks without a word of one is let in.
func (program *Program) refuses(request *http.Request) (string, int) {
	expects := request.Header.Get("X-Credential")
	expected := program.env[expects]
	if expects == "" || expected == "" || request.Header.Get("Authorization") == expected {
		return "", 0
	}
	return "HTTP 401", http.StatusUnauthorized
}

// enter waits for a worker. It is not ok where too many wait already, or the caller gave up.
func (program *Program) enter(request *http.Request) (leave func(), ok bool) {
	if program.workers == nil {
		return func() {}, true
	}
	select {
	case program.workers <- struct{}{}:
		return func() { <-program.workers }, true
	default:
	}
	defer program.waiting.Add(-1)
	if program.waiting.Add(1) > int64(program.document.Queue) {
		return nil, false
	}
	select {
	case program.workers <- struct{}{}:
		return func() { <-program.workers }, true
	case <-request.Context().Done():
		return nil, false
	}
}

// matching finds the route of a request; `{name}` in a route's path stands for any one part.
func matching(routes map[string]Route, method, path string) (string, bool) {
	for name, route := range routes {
		if route.Method == method && route.Path != "" && plain(route.Path) == path {
			return name, true
		}
	}
	parts := strings.Split(path, "/")
	for name, route := range routes {
		wanted := strings.Split(plain(route.Path), "/")
		if route.Method != method || len(wanted) != len(parts) || !strings.Contains(route.Path, "%7B") {
			continue
		}
		same := true
		for index, part := range wanted {
			same = same && (part == parts[index] || (strings.HasPrefix(part, "{") && parts[index] != ""))
		}
		if same {
			return name, true
		}
	}
	return "", false
}

// serveMessages gives a consumer group its next message, or nothing within a second.
func (program *Program) serveMessages(writer http.ResponseWriter, request *http.Request) {
	asked := request.URL.Query()
	for _, topic := range program.brokers {
		if topic.name == asked.Get("topic") {
			if message, ok := topic.next(asked.Get("group"), time.Second); ok {
				io.WriteString(writer, message)
				return
			}
			writer.WriteHeader(http.StatusNoContent)
			return
		}
	}
	http.Error(writer, "unknown topic "+strconv.Quote(asked.Get("topic")), http.StatusNotFound)
}

// serveFlags gives the document of the flags as it is mounted now.
func (program *Program) serveFlags(writer http.ResponseWriter) {
	text, err := readSmall(program.document.Flags.File)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	io.WriteString(writer, text)
}
