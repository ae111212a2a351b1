package main

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Outcome is what came of a request: the empty text is success.
type Outcome struct {
	Failed bool
	Own    bool // it failed by itself, and not with a call
	Text   string
	Status int
}

// execute does the work of one request to a route and tells of it.
func (program *Program) execute(name string, trace Trace) Outcome {
	route := program.document.Routes[name]
	begin := time.Now()
	span := trace.child()
	outcome := program.work(name, route, span)
	program.telemetry.request(route, trace, span, begin, outcome.Failed)
	program.tell(name, route, span, outcome)
	for extra := program.flags.traffic(name); extra >= 1 || rand.Float64() < extra; extra-- {
		program.again(name, route)
	}
	return outcome
}

var extras = make(chan struct{}, 64)

// again does what a feature flag adds: the same work once more, for nobody; where there is too much, it is left out.
func (program *Program) again(name string, route Route) {
	if topic := program.brokers[name]; topic != nil {
		topic.publish(newTrace().header())
		return
	}
	select {
	case extras <- struct{}{}:
		go func() {
			defer func() { <-extras }()
			trace := newTrace()
			span := trace.child()
			begin := time.Now()
			outcome := program.work(name, route, span)
			program.telemetry.request(route, trace, span, begin, outcome.Failed)
		}()
	default:
	}
}

func (program *Program) work(name string, route Route, span Trace) Outcome {
	defer borrow(route.Memory)()
	program.own(name, route)
	if failed, text := program.fails(name); failed {
		return Outcome{Failed: true, Own: true, Text: text, Status: program.document.FailsWith}
	}
	for _, step := range route.Steps {
		if text, failed := program.step(route, step, span); failed {
			return Outcome{Failed: true, Text: text, Status: program.document.FailsWith}
		}
	}
	if topic := program.brokers[name]; topic != nil {
		topic.publish(span.header())
	}
	return Outcome{Status: 200}
}

// own is the service's own work: processor time, then what else takes time.
func (program *Program) own(name string, route Route) {
	cpu, median := route.CPU, route.Latency.P50
	if program.cpu >= 0 {
		cpu = program.cpu
	}
	if program.latency >= 0 {
		median = program.latency
	}
	cpuMore, latencyMore := program.flags.slower(name)
	program.processor.request(cpu + cpuMore)
	time.Sleep(seconds(lognormal(median, route.Latency.Sigma) + latencyMore))
}

// fails is whether the service fails a request by itself, and what it says then.
func (program *Program) fails(name string) (bool, string) {
	text := "HTTP " + strconv.Itoa(program.document.FailsWith)
	if rand.Float64() < program.failures {
		for _, setting := range program.document.Settings {
			if setting.Sets == "failures" && setting.Text != "" {
				text = setting.Text
			}
		}
		return true, text
	}
	if failed, said := program.flags.fails(name); failed {
		if said != "" {
			text = said
		}
		return true, text
	}
	return false, ""
}

// step makes calls at once, and waits for the slowest. It failed if a required one did.
func (program *Program) step(route Route, calls []Call, span Trace) (text string, failed bool) {
	texts := make([]string, len(calls))
	bad := make([]bool, len(calls))
	var group sync.WaitGroup
	for index, call := range calls {
		if rand.Float64() >= call.Probability {
			continue
		}
		if len(calls) == 1 {
			texts[index], bad[index] = program.calls(route, call, span)
			continue
		}
		for range call.Times {
			once := call
			once.Times = 1
			group.Add(1)
			go func() {
				defer group.Done()
				if said, wrong := program.calls(route, once, span); wrong {
					texts[index], bad[index] = said, true
				}
			}()
		}
	}
	group.Wait()
	for index := range calls {
		if bad[index] && calls[index].Criticality == "required" {
			return texts[index], true
		}
	}
	return "", false
}

// calls makes a call as often as it is to be made, one after the other.
func (program *Program) calls(route Route, call Call, span Trace) (text string, failed bool) {
	for range call.Times {
		var said string
		ok := false
		for try := range call.Attempts {
			if try > 0 {
				time.Sleep(seconds(call.Backoff))
			}
			if said, ok = program.attempt(route, call, span); ok {
				break
			}
		}
		if !ok {
			text, failed = said, true
			if call.Criticality == "required" {
				return text, true
			}
		}
	}
	return text, failed
}

// attempt makes a call once, and says what the caller says where it failed.
func (program *Program) attempt(route Route, call Call, parent Trace) (string, bool) {
	host, port := program.target(call)
	span := parent.child()
	begin := time.Now()
	header := span.headers()
	if call.Credential != nil {
		header.Set("X-Credential", call.Credential.Expects)
		header.Set("Authorization", program.env[call.Credential.Sends])
	}
	answer := exchange(call.Method, host, port, call.Path, header, seconds(call.Timeout))
	program.telemetry.call(call, parent, span, begin, answer, host, port)
	if answer.Kind == success {
		return "", true
	}
	text := reason(call, answer, host, port)
	if call.Error != "" {
		text = strings.ReplaceAll(call.Error, "{reason}", text)
	}
	if call.Criticality != "required" || !tellsFailures(route) {
		severity := "WARN"
		if call.Criticality == "required" {
			severity = "ERROR"
		}
		program.log.print(severity, text)
	}
	return text, false
}

// target is where a call goes.
func (program *Program) target(call Call) (string, int) {
	for _, service := range call.Services {
		if program.flags.misdirects(service) {
			return service + ".invalid", call.DefaultPort
		}
	}
	if call.Address == "" {
		return call.Host, call.DefaultPort
	}
	return splitAddress(program.env.expanded(call.Address), call.DefaultPort)
}

// reason is what the caller's library says of a failed call.
func reason(call Call, answer Answer, host string, port int) string {
	var text string
	status, detail := answer.Status, answer.Body
	switch answer.Kind {
	case refused:
		text = call.Phrases.Refused
	case timedOut:
		text = call.Phrases.Timeout
	case unknownName:
		text = call.Phrases.Name
	case unnamed:
		text = call.Phrases.NameTemporary
	case reset:
		text = call.Phrases.Reset
	default:
		text = call.Phrases.Status
	}
	if call.Credential != nil && status == http.StatusUnauthorized {
		status, detail = call.Credential.Status, call.Credential.Refusal
	}
	if detail == "" {
		detail = "HTTP " + strconv.Itoa(status)
	}
	return strings.NewReplacer(
		"{host}", host, "{port}", strconv.Itoa(port), "{status}", strconv.Itoa(status),
		"{seconds}", strconv.FormatFloat(call.Timeout, 'g', -1, 64), "{detail}", detail,
	).Replace(text)
}
