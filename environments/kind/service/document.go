package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Document says what a program does. It is rendered from an application file by itbench/environments/kind/program.py,
// whose types these mirror; times are seconds, sizes are bytes.
type Document struct {
	Version    int              `json:"version"`
	Service    string           `json:"service"`
	Namespace  string           `json:"namespace"`
	Port       int              `json:"port"` // 0: it listens nowhere
	Workers    int              `json:"workers"`
	Threads    int              `json:"threads"`
	Queue      int              `json:"queue"`
	Startup    float64          `json:"startup"`
	StartupCPU float64          `json:"startup_cpu"`
	Memory     Memory           `json:"memory"`
	FailsWith  int              `json:"fails_with"`
	Needs      []string         `json:"needs"`
	Settings   []Setting        `json:"settings"`
	Routes     map[string]Route `json:"routes"`
	Load       *Load            `json:"load"`
	Flags      *Flags           `json:"flags"`
	Telemetry  Telemetry        `json:"telemetry"`
}

// Memory is what a process holds after its start, and how it grows.
type Memory struct {
	Base float64 `json:"base"`
	Leak float64 `json:"leak"`
}

// Setting is an environment variable that the program obeys.
type Setting struct {
	Variable string  `json:"variable"`
	Sets     string  `json:"sets"`
	Unit     float64 `json:"unit"`
	Text     string  `json:"text"`
}

// Route is one kind of request.
type Route struct {
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	CPU      float64   `json:"cpu"`
	Latency  Latency   `json:"latency"`
	Memory   int       `json:"memory"`
	Steps    [][]Call  `json:"steps"`
	Logs     []LogLine `json:"logs"`
	Every    float64   `json:"every"`
	Consumes *Consumes `json:"consumes"`
	Groups   []string  `json:"groups"` // that work through what is published by this route
	Topic    string    `json:"topic"`
	Span     *SpanForm `json:"span"`
}

// Latency is lognormal.
type Latency struct {
	P50   float64 `json:"p50"`
	Sigma float64 `json:"sigma"`
}

// Consumes names where messages come from.
type Consumes struct {
	Address string `json:"address"`
	Path    string `json:"path"`
	Topic   string `json:"topic"`
}

// Call is a request to another service, or to one of several behind one Kubernetes Service.
type Call struct {
	Services    []string    `json:"services"`
	Host        string      `json:"host"` // the Kubernetes Service in front of them
	Method      string      `json:"method"`
	Path        string      `json:"path"`
	Address     string      `json:"address"`
	DefaultPort int         `json:"default_port"`
	Probability float64     `json:"probability"`
	Times       int         `json:"times"`
	Timeout     float64     `json:"timeout"`
	Attempts    int         `json:"attempts"`
	Backoff     float64     `json:"backoff"`
	Criticality string      `json:"criticality"`
	Credential  *Credential `json:"credential"`
	Error       string      `json:"error"`
	Phrases     Phrases     `json:"phrases"`
	Span        *SpanForm   `json:"span"`
}

// Credential is what a callee wants to see.
type Credential struct {
	Sends   string `json:"sends"`
	Expects string `json:"expects"`
	Refusal string `json:"refusal"`
	Status  int    `json:"status"`
}

// Phrases are what the caller's library says of a failed call.
type Phrases struct {
	Refused       string `json:"refused"`
	Timeout       string `json:"timeout"`
	Name          string `json:"name"`
	NameTemporary string `json:"name_temporary"`
	Reset         string `json:"reset"`
	Status        string `json:"status"`
}

// SpanForm is how a request or a call shows in traces.
type SpanForm struct {
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Attributes map[string]string `json:"attributes"`
	Failed     map[string]string `json:"failed"` // the attributes where it failed
}

// LogLine is what a route writes.
type LogLine struct {
	Severity string  `json:"severity"`
	Text     string  `json:"text"`
	On       string  `json:"on"`
	Share    float64 `json:"share"`
}

// Load makes requests; the numbers are those of one pod.
type Load struct {
	Users     float64            `json:"users"` // 0: an open load of Rate requests a second
	SpawnRate float64            `json:"spawn_rate"`
	Think     float64            `json:"think"`
	Rate      float64            `json:"rate"`
	Amplitude float64            `json:"amplitude"`
	Peak      float64            `json:"peak"`
	Requests  map[string]float64 `json:"requests"`
}

// Flags says where feature flags are kept (by the program that serves them) or asked for (by all others).
type Flags struct {
	File    string   `json:"file"`
	Ask     string   `json:"ask"`
	Effects []Effect `json:"effects"`
}

// Effect is what a flag does here while its value is not zero.
type Effect struct {
	Flag        string             `json:"flag"`
	Variants    map[string]float64 `json:"variants"`
	Route       string             `json:"route"`
	Failures    float64            `json:"failures"`
	Latency     float64            `json:"latency"`
	CPU         float64            `json:"cpu"`
	Cores       float64            `json:"cores"`
	Leak        float64            `json:"leak"`
	Traffic     float64            `json:"traffic"`
	Unreachable string             `json:"unreachable"`
	Text        string             `json:"text"`
}

// Telemetry says who turns spans into metrics: "spans" (a collector's span metrics), "mesh" (a service mesh's own, at the
// callee) or "none" (nobody: the load, and the service of the flags).
type Telemetry struct {
	Metrics   string `json:"metrics"`
	Collector string `json:"collector"` // host:port; "gateway:port" for the node that the pod runs on
}

const documentVersion = 1

func readDocument(path string) (*Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	document := &Document{}
	if err := decoder.Decode(document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if document.Version != documentVersion {
		return nil, fmt.Errorf("%s: version %d, not %d", path, document.Version, documentVersion)
	}
	if document.Service == "" || len(document.Routes) == 0 {
		return nil, fmt.Errorf("%s: no service, or no routes", path)
	}
	return document, nil
}
