package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// load makes requests as the application file says, for ever.
func (program *Program) load(load *Load) {
	choose := chooser(load.Requests)
	if load.Users == 0 {
		for {
			time.Sleep(seconds(rand.ExpFloat64() / (load.Rate * wave(load, time.Now()))))
			go program.execute(choose(), newTrace())
		}
	}
	whole, part := math.Modf(load.Users)
	for range int(whole) {
		go program.user(load, choose, 1)
		time.Sleep(seconds(1 / load.SpawnRate))
	}
	if part > 0 {
		program.user(load, choose, part)
	}
}

var running atomic.Int64

// user asks, waits for the answer, thinks, and asks again. One that counts as a part of a user rests in between.
func (program *Program) user(load *Load, choose func() string, part float64) {
	running.Add(1)
	for {
		begin := time.Now()
		program.execute(choose(), newTrace())
		time.Sleep(seconds(rand.ExpFloat64() * load.Think / wave(load, begin)))
		time.Sleep(seconds(time.Since(begin).Seconds() * (1/part - 1)))
	}
}

// wave is the factor of the daily pattern.
func wave(load *Load, now time.Time) float64 {
	now = now.UTC()
	hour := float64(now.Hour()) + float64(now.Minute())/60
	return 1 + load.Amplitude*math.Cos(2*math.Pi*(hour-load.Peak)/24)
}

// chooser draws names by their weights.
func chooser(weights map[string]float64) func() string {
	names := make([]string, 0, len(weights))
	for name := range weights {
		names = append(names, name)
	}
	slices.Sort(names)
	upto := make([]float64, len(names))
	total := 0.0
	for index, name := range names {
		total += weights[name]
		upto[index] = total
	}
	return func() string {
		at, _ := slices.BinarySearch(upto, rand.Float64()*total)
		return names[min(at, len(names)-1)]
	}
}
