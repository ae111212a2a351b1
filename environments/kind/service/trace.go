package main

import (
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
)

// Trace names a span: the trace that it belongs to, and itself. A span without an identity is the outside of a trace.
type Trace struct {
	id   string
	span string
}

func randomHex(bytes int) string {
	block := make([]byte, bytes)
	for at := range block {
		block[at] = byte(rand.Uint32())
	}
	return hex.EncodeToString(block)
}

func newTrace() Trace { return Trace{id: randomHex(16)} }

func (trace Trace) child() Trace { return Trace{id: trace.id, span: randomHex(8)} }

// header is the trace context of the W3C.
func (trace Trace) header() string {
	span := trace.span
	if span == "" {
		span = randomHex(8)
	}
	return "00-" + trace.id + "-" + span + "-01"
}

func (trace Trace) headers() http.Header { return http.Header{"Traceparent": {trace.header()}} }

// traceFrom reads a trace context; anything else begins a trace of its own.
func traceFrom(text string) Trace {
	parts := strings.Split(strings.TrimSpace(text), "-")
	if len(parts) != 4 || !isHex(parts[1], 32) || !isHex(parts[2], 16) {
		return newTrace()
	}
	return Trace{id: parts[1], span: parts[2]}
}

func traceOf(header http.Header) Trace { return traceFrom(header.Get("Traceparent")) }

func isHex(text string, length int) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) == length
}
