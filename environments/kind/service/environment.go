package main

import (
	"regexp"
	"strconv"
	"strings"
)

// Environment is what the container was started with.
type Environment map[string]string

func environmentOf(entries []string) Environment {
	found := Environment{}
	for _, entry := range entries {
		if name, value, ok := strings.Cut(entry, "="); ok {
			found[name] = value
		}
	}
	return found
}

var (
	reference = regexp.MustCompile(`\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)`)
	number    = regexp.MustCompile(`^\d{1,12}(\.\d{1,12})?$`)
)

// expanded replaces `$(NAME)`; names that are not there stay, as Kubernetes leaves them.
func (env Environment) expanded(text string) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := env[found[2:len(found)-1]]; ok {
			return value
		}
		return found
	})
}

// setting is what the environment sets, in the document's unit; otherwise the default.
func (env Environment) setting(settings []Setting, sets string, otherwise float64) float64 {
	for _, known := range settings {
		if known.Sets == sets && number.MatchString(env[known.Variable]) {
			value, _ := strconv.ParseFloat(env[known.Variable], 64)
			return value * known.Unit
		}
	}
	return otherwise
}

// splitAddress gives host and port of `cart:8080`, `http://cart:8080/path` or `cart`; a port that is no number is 0,
// to which nothing can connect.
func splitAddress(address string, defaultPort int) (string, int) {
	if _, after, ok := strings.Cut(address, "://"); ok {
		address = after
	}
	address, _, _ = strings.Cut(address, "/")
	colon := strings.LastIndex(address, ":")
	if colon < 0 {
		return address, defaultPort
	}
	port, err := strconv.Atoi(address[colon+1:])
	if err != nil || port < 0 || port > 65535 {
		port = 0
	}
	return address[:colon], port
}
