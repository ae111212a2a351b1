package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Label is one label of a series.
type Label struct{ name, value string }

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// rendered is a label set as Prometheus writes it; labels without a value are left out.
func rendered(labels []Label) string {
	parts := make([]string, 0, len(labels))
	for _, label := range labels {
		if label.value != "" {
			parts = append(parts, label.name+`="`+escapes.Replace(label.value)+`"`)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func formatted(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// Family is a metric with its series.
type Family struct {
	name, kind string
	samples    map[string]float64
}

func newFamily(name, kind string) *Family {
	return &Family{name: name, kind: kind, samples: map[string]float64{}}
}

func (family *Family) set(value float64, labels ...Label) { family.samples[rendered(labels)] = value }

func (family *Family) add(value float64, labels ...Label) { family.samples[rendered(labels)] += value }

// write prints the family in Prometheus's text format, if it has any series.
func (family *Family) write(out io.Writer) {
	if len(family.samples) == 0 {
		return
	}
	fmt.Fprintf(out, "# TYPE %s %s\n", family.name, family.kind)
	for _, labels := range slices.Sorted(maps.Keys(family.samples)) {
		fmt.Fprintf(out, "%s%s %s\n", family.name, labels, formatted(family.samples[labels]))
	}
}

// Histogram counts durations in buckets.
type Histogram struct {
	name   string
	bounds []float64
	series map[string]*counts
}

type counts struct {
	buckets []uint64 // one more than bounds; each counts what is in no bucket before it
	sum     float64
}

func newHistogram(name string, bounds []float64) *Histogram {
	return &Histogram{name: name, bounds: bounds, series: map[string]*counts{}}
}

func (histogram *Histogram) observe(value float64, labels ...Label) {
	key := rendered(labels)
	found := histogram.series[key]
	if found == nil {
		found = &counts{buckets: make([]uint64, len(histogram.bounds)+1)}
		histogram.series[key] = found
	}
	at, _ := slices.BinarySearch(histogram.bounds, value)
	found.buckets[at]++
	found.sum += value
}

func (histogram *Histogram) write(out io.Writer) {
	if len(histogram.series) == 0 {
		return
	}
	fmt.Fprintf(out, "# TYPE %s histogram\n", histogram.name)
	for _, labels := range slices.Sorted(maps.Keys(histogram.series)) {
		found := histogram.series[labels]
		within := strings.TrimSuffix(labels, "}")
		total := uint64(0)
		for at, count := range found.buckets {
			total += count
			bound := "+Inf"
			if at < len(histogram.bounds) {
				bound = formatted(histogram.bounds[at])
			}
			fmt.Fprintf(out, "%s_bucket%s,le=\"%s\"} %d\n", histogram.name, within, bound, total)
		}
		fmt.Fprintf(out, "%s_sum%s %s\n", histogram.name, labels, formatted(found.sum))
		fmt.Fprintf(out, "%s_count%s %d\n", histogram.name, labels, total)
	}
}
