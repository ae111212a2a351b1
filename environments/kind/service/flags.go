package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const flagsEvery = 5 * time.Second

// Active is an effect of a flag that is on.
type Active struct {
	Effect
	value float64
}

// FlagState is what feature flags do to this program now. Who cannot ask the flag service goes on with what is off.
type FlagState struct {
	flags  *Flags
	active atomic.Pointer[[]Active]
}

func newFlagState(flags *Flags) *FlagState {
	state := &FlagState{flags: flags}
	state.active.Store(&[]Active{})
	return state
}

// keep asks the flag service over and over, where there is something to ask for.
func (state *FlagState) keep() {
	if state.flags == nil || len(state.flags.Effects) == 0 {
		return
	}
	for {
		state.set(state.document())
		time.Sleep(flagsEvery)
	}
}

func (state *FlagState) document() string {
	if state.flags.File != "" {
		text, _ := readSmall(state.flags.File)
		return text
	}
	host, port := splitAddress(state.flags.Ask, 0)
	answer := exchange("GET", host, port, flagsPath, nil, 2*time.Second)
	if answer.Kind != success {
		return ""
	}
	return answer.Body
}

// set takes over a document in flagd's format.
func (state *FlagState) set(text string) {
	var document struct {
		Flags map[string]struct {
			State          string         `json:"state"`
			Variants       map[string]any `json:"variants"`
			DefaultVariant string         `json:"defaultVariant"`
		} `json:"flags"`
	}
	active := []Active{}
	if json.Unmarshal([]byte(text), &document) == nil {
		for _, effect := range state.flags.Effects {
			entry, told := document.Flags[effect.Flag]
			value := effect.Variants["off"]
			if told && (entry.State == "ENABLED" || entry.State == "") {
				if variant, ok := entry.Variants[entry.DefaultVariant]; ok {
					value = numeric(variant)
				}
			}
			if value != 0 {
				active = append(active, Active{effect, value})
			}
		}
	}
	state.active.Store(&active)
}

func numeric(value any) float64 {
	switch found := value.(type) {
	case bool:
		if found {
			return 1
		}
	case float64:
		return found
	}
	return 0
}

// sum adds up what active effects on a route (the empty one: on the whole service) say.
func (state *FlagState) sum(route string, read func(Effect) float64) float64 {
	total := 0.0
	for _, item := range *state.active.Load() {
		if item.Route == "" || item.Route == route {
			total += item.value * read(item.Effect)
		}
	}
	return total
}

func (state *FlagState) cores() float64 {
	return state.sum("", func(effect Effect) float64 { return effect.Cores })
}

func (state *FlagState) leak() float64 {
	return state.sum("", func(effect Effect) float64 { return effect.Leak })
}

func (state *FlagState) traffic(route string) float64 {
	return state.sum(route, func(effect Effect) float64 { return effect.Traffic })
}

// slower is how much more processor time and other time a request takes.
func (state *FlagState) slower(route string) (cpu, latency float64) {
	cpu = state.sum(route, func(effect Effect) float64 { return effect.CPU })
	return cpu, state.sum(route, func(effect Effect) float64 { return effect.Latency })
}

// fails is whether a flag makes a request fail, and what the service says then.
func (state *FlagState) fails(route string) (bool, string) {
	for _, item := range *state.active.Load() {
		if (item.Route == "" || item.Route == route) && rand.Float64() < item.value*item.Failures {
			return true, item.Text
		}
	}
	return false, ""
}

// misdirects is whether a call to a service goes to an address that does not exist.
func (state *FlagState) misdirects(service string) bool {
	for _, item := range *state.active.Load() {
		if item.Unreachable == service && rand.Float64() < math.Min(item.value, 1) {
			return true
		}
	}
	return false
}
