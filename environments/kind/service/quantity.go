package main

import (
	"strconv"
	"strings"
)

// The API's suffixes of quantities; those of two letters first.
var suffixes = []struct {
	text   string
	factor float64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50},
	{"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15},
}

// quantity reads an amount of a resource, such as 250m or 64Mi.
func quantity(text string) (float64, bool) {
	factor := 1.0
	for _, suffix := range suffixes {
		if before, found := strings.CutSuffix(text, suffix.text); found {
			text, factor = before, suffix.factor
			break
		}
	}
	value, err := strconv.ParseFloat(text, 64)
	return value * factor, err == nil
}
