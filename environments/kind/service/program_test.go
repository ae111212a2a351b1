package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

var phrases = Phrases{Refused: "refused {host}:{port}", Timeout: "late after {seconds} s", Name: "no name {host}",
	NameTemporary: "no server for {host}", Reset: "broken off", Status: "status {status}: {detail}"}

// started serves a document and gives its address and its log.
func started(t *testing.T, document *Document, env Environment) (*Program, string, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	program := newProgram(document, env, newLogger(log))
	server := httptest.NewServer(program)
	t.Cleanup(server.Close)
	return program, server.Listener.Addr().String(), log
}

func simple(name string, route Route) *Document {
	if route.Method == "" {
		route.Method, route.Path = "GET", "/"
	}
	return &Document{Service: name, Namespace: "shop", FailsWith: 500, Queue: 10, Routes: map[string]Route{"GET /": route}}
}

func calling(address string, change func(*Call)) Route {
	call := Call{Services: []string{"cart"}, Host: "cart", Method: "GET", Path: "/", Address: address, Probability: 1, Times: 1,
		Timeout: 1, Attempts: 1, Criticality: "required", Phrases: phrases}
	if change != nil {
		change(&call)
	}
	return Route{Steps: [][]Call{{call}}}
}

func ask(t *testing.T, address, path string) (int, string) {
	t.Helper()
	answer := exchange("GET", "127.0.0.1", portOf(address), path, nil, 5*time.Second)
	return answer.Status, strings.TrimSpace(answer.Body)
}

func portOf(address string) int {
	_, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	return number
}

func TestRequiredCallThatIsRefusedFailsTheRequestInTheCallersWords(t *testing.T) {
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	closed.Close()
	document := simple("front", calling(closed.Addr().String(), func(call *Call) { call.Error = "no cart: {reason}" }))
	document.FailsWith = 503
	_, front, _ := started(t, document, nil)
	status, body := ask(t, front, "/")
	if status != 503 || body != "no cart: refused "+closed.Addr().String() {
		t.Errorf("%d %q", status, body)
	}
}

func TestDegradedCallThatFailsIsLoggedAndTheRequestAnswered(t *testing.T) {
	_, cart, _ := started(t, simple("cart", Route{}), Environment{})
	document := simple("front", calling(cart, func(call *Call) { call.Path, call.Criticality = "/other", "degraded" }))
	_, front, log := started(t, document, nil)
	if status, body := ask(t, front, "/"); status != 200 {
		t.Errorf("%d %q", status, body)
	}
	if !strings.Contains(log.String(), "WARN status 404: HTTP 404") {
		t.Errorf("log: %q", log)
	}
}

func TestFailureOfACalleeTravelsToTheCallersText(t *testing.T) {
	document := simple("cart", Route{})
	document.Settings = []Setting{{Variable: "FAIL", Sets: "failures", Unit: 1, Text: "storage is gone"}}
	_, cart, log := started(t, document, Environment{"FAIL": "1"})
	_, front, _ := started(t, simple("front", calling(cart, nil)), nil)
	status, body := ask(t, front, "/")
	if status != 500 || body != "status 500: storage is gone" {
		t.Errorf("%d %q", status, body)
	}
	if !strings.Contains(log.String(), "ERROR storage is gone") {
		t.Errorf("log of the callee: %q", log)
	}
}

func TestSlowCalleeIsGivenUpAfterTheTimeOutAndTriedAgain(t *testing.T) {
	program, cart, _ := started(t, simple("cart", Route{Latency: Latency{P50: 0.5}}), nil)
	document := simple("front", calling(cart, func(call *Call) { call.Timeout, call.Attempts = 0.05, 2 }))
	_, front, _ := started(t, document, nil)
	begin := time.Now()
	if status, body := ask(t, front, "/"); status != 500 || body != "late after 0.05 s" {
		t.Errorf("%d %q", status, body)
	}
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("two attempts took %v", took)
	}
	_ = program
}

func TestNameThatDoesNotResolveIsToldAsSuch(t *testing.T) {
	answer := exchange("GET", "cart.invalid", 80, "/", nil, time.Second)
	if answer.Kind != unknownName && answer.Kind != unnamed {
		t.Errorf("%+v", answer)
	}
	if answer.Connected {
		t.Error("connected to nobody")
	}
}

func TestOnlyWhoKnowsTheSecretIsLetIn(t *testing.T) {
	_, cart, _ := started(t, simple("cart", Route{}), Environment{"TOKEN": "right"})
	route := calling(cart, func(call *Call) {
		call.Credential = &Credential{Sends: "MINE", Expects: "TOKEN", Refusal: "NOAUTH", Status: 401}
	})
	for sent, wanted := range map[string]string{"wrong": "status 401: NOAUTH", "right": "ok"} {
		_, front, _ := started(t, simple("front", route), Environment{"MINE": sent})
		if _, body := ask(t, front, "/"); body != wanted {
			t.Errorf("with %s: %q", sent, body)
		}
	}
}

func TestProbesAreAnsweredOnAnyPathAndCostNothing(t *testing.T) {
	_, address, log := started(t, simple("cart", Route{Logs: []LogLine{{"INFO", "asked", "success", 1}}}), nil)
	request, _ := http.NewRequest("GET", "http://"+address+"/healthz", nil)
	request.Header.Set("User-Agent", "kube-probe/1.34")
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != 200 || log.Len() > 0 {
		t.Errorf("%v %v %q", response, err, log)
	}
}

func TestWorkersLimitWhatIsDoneAtOnce(t *testing.T) {
	document := simple("cart", Route{Latency: Latency{P50: 0.05}})
	document.Workers = 1
	_, address, _ := started(t, document, nil)
	done := make(chan int, 4)
	begin := time.Now()
	for range 4 {
		go func() { done <- exchange("GET", "127.0.0.1", portOf(address), "/", nil, time.Second).Status }()
	}
	for range 4 {
		if status := <-done; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	if took := time.Since(begin); took < 190*time.Millisecond {
		t.Errorf("four requests, one after the other, took %v", took)
	}
}

func TestRoutesMatchByMethodAndPath(t *testing.T) {
	routes := map[string]Route{
		"page":    {Method: "GET", Path: "/products/%7Bid%7D"},
		"special": {Method: "GET", Path: "/products/new"},
		"put":     {Method: "POST", Path: "/SELECT%20a.b"},
	}
	for path, wanted := range map[string]string{"/products/17": "page", "/products/new": "special", "/products/": "", "/x": ""} {
		if name, _ := matching(routes, "GET", path); name != wanted {
			t.Errorf("%s: %q", path, name)
		}
	}
	if name, _ := matching(routes, "POST", "/SELECT a.b"); name != "put" {
		t.Errorf("%q", name)
	}
}

func TestMessagesReachEveryGroupInOrder(t *testing.T) {
	topic := newTopic("orders", []string{"accounting", "fraud"})
	topic.publish("one")
	topic.publish("two")
	for _, group := range []string{"accounting", "fraud"} {
		for _, wanted := range []string{"one", "two"} {
			if message, ok := topic.next(group, time.Second); !ok || message != wanted {
				t.Errorf("%s: %q", group, message)
			}
		}
	}
	if _, ok := topic.next("accounting", time.Millisecond); ok {
		t.Error("a message too many")
	}
	topic.publish("three")
	if state := topic.state()["fraud"]; state != [2]int64{1, 2} {
		t.Errorf("%v", state)
	}
}

func TestAddresses(t *testing.T) {
	env := Environment{"CART": "http://cart:9000/x"}
	for text, wanted := range map[string]string{"$(CART)": "cart:9000", "cart": "cart:80", "cart:x": "cart:0", "$(NO)": "$(NO):80"} {
		host, port := splitAddress(env.expanded(text), 80)
		if found := host + ":" + strconv.Itoa(port); found != wanted {
			t.Errorf("%s: %s", text, found)
		}
	}
}

func TestSettingsObeyOnlyNumbers(t *testing.T) {
	settings := []Setting{{Variable: "DELAY_MS", Sets: "latency", Unit: 0.001}}
	if found := (Environment{"DELAY_MS": "250"}).setting(settings, "latency", 1); found != 0.25 {
		t.Error(found)
	}
	if found := (Environment{"DELAY_MS": "much"}).setting(settings, "latency", 1); found != 1 {
		t.Error(found)
	}
}

func TestBurningTakesProcessorTime(t *testing.T) {
	begin := time.Now()
	burn(30 * time.Millisecond)
	if took := time.Since(begin); took < 30*time.Millisecond {
		t.Errorf("burnt 30 ms in %v", took)
	}
}

func TestBallastIsInMemory(t *testing.T) {
	ballast := &Ballast{}
	before := resident()
	ballast.grow(32 << 20)
	if grown := resident() - before; grown < 30<<20 {
		t.Errorf("grew by %.0f", grown)
	}
}
