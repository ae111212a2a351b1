package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var payment = &Flags{Effects: []Effect{
	{Flag: "paymentFailure", Variants: map[string]float64{"100%": 1, "off": 0}, Failures: 1, Text: "Invalid token"},
	{Flag: "slow", Variants: map[string]float64{"on": 10, "off": 0}, Route: "GET /", Latency: 0.1, Traffic: 2},
	{Flag: "lost", Variants: map[string]float64{"on": 1, "off": 0}, Unreachable: "cart"},
}}

func state(text string) *FlagState {
	state := newFlagState(payment)
	state.set(text)
	return state
}

const document = `{"flags": {
	"paymentFailure": {"state": "ENABLED", "variants": {"100%": 1, "off": 0}, "defaultVariant": "100%"},
	"slow": {"state": "ENABLED", "variants": {"on": 10, "off": 0}, "defaultVariant": "on"},
	"lost": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}}}`

func TestFlagsThatAreOnAct(t *testing.T) {
	found := state(document)
	if failed, text := found.fails("any"); !failed || text != "Invalid token" {
		t.Errorf("%v %q", failed, text)
	}
	if _, latency := found.slower("GET /"); latency != 1 {
		t.Errorf("latency %v", latency)
	}
	if _, latency := found.slower("other"); latency != 0 {
		t.Errorf("latency of another route %v", latency)
	}
	if found.misdirects("cart") {
		t.Error("a disabled flag acts")
	}
}

func TestWhoCannotAskGoesOnWithWhatIsOff(t *testing.T) {
	for _, text := range []string{"", "no JSON", `{"flags": []}`, strings.Replace(document, "100%\"}", "none\"}", 1)} {
		if failed, _ := state(text).fails("any"); failed {
			t.Errorf("%q fails", text)
		}
	}
}

func TestFlagsAreServedAsTheyAreMounted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.json")
	served := simple("flagd", Route{})
	served.Flags = &Flags{File: file}
	_, address, _ := started(t, served, nil)
	for _, text := range []string{"one", "two"} {
		os.WriteFile(file, []byte(text), 0o600)
		if _, body := ask(t, address, flagsPath); body != text {
			t.Errorf("%q", body)
		}
	}
	asking := newFlagState(&Flags{Ask: address})
	if found := asking.document(); found != "two" {
		t.Errorf("%q", found)
	}
}
