package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// Kind is how a call failed; the empty one is success.
type Kind string

const (
	success       Kind = ""
	refused       Kind = "refused"
	timedOut      Kind = "timeout"
	unknownName   Kind = "name"
	unnamed       Kind = "name_temporary" // no server could tell
	reset         Kind = "reset"
	answeredBadly Kind = "status"
)

// How long a name may take: the C library's usual five seconds, twice, with some room.
const resolvingLimit = 12 * time.Second

// transport opens a connection for every call: a Service that is gone is felt at once, and kube-proxy chooses anew.
var transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 1 << 16}

// resolve gives the address of a host.
func resolve(host string) (string, Kind) {
	if net.ParseIP(host) != nil {
		return host, success
	}
	limit, cancel := context.WithTimeout(context.Background(), resolvingLimit)
	defer cancel()
	found, err := (&net.Resolver{PreferGo: true}).LookupHost(limit, host)
	if err == nil && len(found) > 0 {
		return found[0], success
	}
	var trouble *net.DNSError
	if errors.As(err, &trouble) && trouble.IsNotFound {
		return "", unknownName
	}
	return "", unnamed
}

// kindOf tells how an exchange over the network failed.
func kindOf(err error) Kind {
	var slow net.Error
	switch {
	case err == nil:
		return success
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ETIMEDOUT):
		return timedOut
	case errors.As(err, &slow) && slow.Timeout():
		return timedOut
	default:
		return reset
	}
}

// Answer is what came of one exchange.
type Answer struct {
	Kind      Kind
	Status    int
	Server    string // who answered
	Body      string
	Connected bool
}

// exchange sends a request and reads the answer. The time-out does not count the resolution of the name.
func exchange(method, host string, port int, path string, header http.Header, timeout time.Duration) Answer {
	address, kind := resolve(host)
	if kind != success {
		return Answer{Kind: kind}
	}
	limit, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var connected atomic.Bool
	limit = context.WithValue(limit, connectedKey{}, &connected)
	target := "http://" + net.JoinHostPort(address, strconv.Itoa(port)) + path
	request, err := http.NewRequestWithContext(limit, method, target, nil)
	if err != nil {
		return Answer{Kind: refused}
	}
	request.Host = host
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return Answer{Kind: kindOf(err), Connected: connected.Load()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	answer := Answer{Kind: kindOf(err), Status: response.StatusCode, Server: response.Header.Get("Server"), Connected: true}
	answer.Body = string(body)
	if answer.Kind == success && response.StatusCode >= 400 {
		answer.Kind = answeredBadly
	}
	return answer
}

type connectedKey struct{}

func init() {
	dialer := &net.Dialer{}
	transport.DialContext = func(limit context.Context, network, address string) (net.Conn, error) {
		found, err := dialer.DialContext(limit, network, address)
		if note, ok := limit.Value(connectedKey{}).(*atomic.Bool); ok && err == nil {
			note.Store(true)
		}
		return found, err
	}
}
