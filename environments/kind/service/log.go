package main

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Logger writes lines as the twin's containers do: time, level, text.
type Logger struct {
	mutex  sync.Mutex
	out    io.Writer
	counts map[string]int
}

func newLogger(out io.Writer) *Logger { return &Logger{out: out, counts: map[string]int{}} }

func (log *Logger) print(severity, text string) {
	stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	log.line(stamp + " " + severity + " " + strings.ReplaceAll(strings.TrimSpace(text), "\n", " "))
}

func (log *Logger) line(text string) {
	log.mutex.Lock()
	defer log.mutex.Unlock()
	fmt.Fprintln(log.out, text)
}

func (log *Logger) count(text string) int {
	log.mutex.Lock()
	defer log.mutex.Unlock()
	log.counts[text]++
	return log.counts[text]
}

func tellsFailures(route Route) bool {
	for _, line := range route.Logs {
		if line.On != "success" {
			return true
		}
	}
	return false
}

// tell writes what a route writes of a request, and of a failure of its own that no line is for.
func (program *Program) tell(name string, route Route, span Trace, outcome Outcome) {
	for _, line := range route.Logs {
		wanted := line.On == "all" || (line.On == "failure") == outcome.Failed
		if wanted && rand.Float64() < line.Share {
			text := strings.NewReplacer("{route}", name, "{error}", outcome.Text).Replace(line.Text)
			program.log.print(line.Severity, filled(text, span, program.log.count(line.Text)))
		}
	}
	if outcome.Own && !tellsFailures(route) {
		program.log.print("ERROR", outcome.Text)
	}
}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

var (
	people   = []string{"larry_sergei", "reed", "mark", "bill", "jeff", "steve", "jack", "ada", "grace", "linus", "alan", "barbara"}
	contexts = []string{"binoculars", "telescopes", "accessories", "assembly", "travel", "books"}
)

// filled replaces names in braces by what is known of a request, or made up for it; others stay.
func filled(text string, span Trace, count int) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		digest := fnv.New64a()
		io.WriteString(digest, span.id+found)
		chance := rand.New(rand.NewPCG(digest.Sum64(), 1))
		switch found {
		case "{trace_id}":
			return span.id
		case "{span_id}":
			return span.span
		case "{count}":
			return strconv.Itoa(count)
		case "{uuid}", "{user_id}":
			return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", chance.Uint32(), chance.IntN(1<<16), chance.IntN(1<<12),
				0x8000+chance.IntN(1<<14), chance.Int64N(1<<48))
		case "{email}":
			return people[chance.IntN(len(people))] + "@example.com"
		case "{quote}":
			return fmt.Sprintf("%.2f", float64(chance.IntN(30_000))/100)
		case "{context}":
			return contexts[chance.IntN(len(contexts))]
		default:
			return found
		}
	})
}

// plain is a path without its escapes.
func plain(path string) string {
	if text, err := url.PathUnescape(path); err == nil {
		return text
	}
	return path
}
