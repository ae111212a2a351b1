package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// How long a program that lacks something tries before it exits.
const patience = 10 * time.Second

// Program is a running service.
type Program struct {
	document  *Document
	env       Environment
	processor *Processor
	ballast   *Ballast
	flags     *FlagState
	telemetry *Telemetrist
	brokers   map[string]*Topic
	log       *Logger
	cpu       float64 // of every request, where a setting says so; negative otherwise
	latency   float64
	failures  float64
	port      int
	workers   chan struct{}
	waiting   atomic.Int64
}

func newProgram(document *Document, env Environment, log *Logger) *Program {
	program := &Program{
		document:  document,
		env:       env,
		processor: newProcessor(document.Threads),
		ballast:   &Ballast{},
		flags:     newFlagState(document.Flags),
		telemetry: newTelemetrist(document, env),
		brokers:   map[string]*Topic{},
		log:       log,
		cpu:       env.setting(document.Settings, "cpu", -1),
		latency:   env.setting(document.Settings, "latency", -1),
		failures:  env.setting(document.Settings, "failures", 0),
		port:      int(env.setting(document.Settings, "port", float64(document.Port))),
	}
	if document.Workers > 0 {
		program.workers = make(chan struct{}, document.Workers)
	}
	for name, route := range document.Routes {
		if len(route.Groups) > 0 {
			program.brokers[name] = newTopic(route.Topic, route.Groups)
		}
	}
	return program
}

// run starts the program as its document says, and never returns.
func (program *Program) run() {
	document := program.document
	if lifetime := program.env.setting(document.Settings, "lifetime", 0); lifetime > 0 {
		time.AfterFunc(seconds(lifetime), func() { os.Exit(1) })
	}
	program.require()
	program.ballast.fill(program.env.setting(document.Settings, "memory", document.Memory.Base))
	time.Sleep(seconds(max(document.Startup-document.StartupCPU, 0)))
	burn(seconds(document.StartupCPU))
	program.follow()
	if program.port == 0 {
		select {}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(program.port)))
	if err != nil {
		program.log.print("FATAL", err.Error())
		os.Exit(1)
	}
	program.log.line(fmt.Sprintf("listening on %d", program.port))
	server := &http.Server{Handler: program, ReadHeaderTimeout: time.Minute, MaxHeaderBytes: 1 << 16}
	go stopWhenTold(server)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		program.log.print("FATAL", err.Error())
		os.Exit(1)
	}
	select {} // the requests that are under way are answered first
}

// How long a program that is told to stop goes on with the requests that are under way.
const farewell = 500 * time.Millisecond

func stopWhenTold(server *http.Server) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
	limit, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	server.Shutdown(limit)
	os.Exit(0)
}

// require exits where an address that the program needs leads nowhere. One that is there but not ready is good enough.
func (program *Program) require() {
	end := time.Now().Add(patience)
	for _, need := range program.document.Needs {
		host, port := splitAddress(program.env.expanded(need), 0)
		for !exists(host, port) {
			if time.Now().After(end) {
				program.log.print("FATAL", fmt.Sprintf("cannot reach %s:%d", host, port))
				os.Exit(1)
			}
			time.Sleep(time.Second)
		}
	}
}

// exists is whether an address leads to a port of a Service: something answers or refuses.
func exists(host string, port int) bool {
	address, kind := resolve(host)
	if kind != success || port == 0 {
		return false
	}
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(address, strconv.Itoa(port)), 2*time.Second)
	if err == nil {
		connection.Close()
	}
	return err == nil || kindOf(err) == refused
}

// follow starts what the program does beside answering.
func (program *Program) follow() {
	document := program.document
	leak := program.env.setting(document.Settings, "leak", document.Memory.Leak)
	go program.ballast.leak(func() float64 { return leak + program.flags.leak() })
	go spin(program.flags.cores)
	go program.flags.keep()
	go program.telemetry.keep(program)
	for name, route := range document.Routes {
		if route.Every > 0 {
			go program.repeat(name, route)
		}
		if route.Consumes != nil {
			go program.consume(name, route)
		}
	}
	if document.Load != nil {
		go program.load(document.Load)
	}
}

// repeat runs a route by the clock, beginning at a chance moment.
func (program *Program) repeat(name string, route Route) {
	time.Sleep(seconds(rand.Float64() * route.Every))
	for range time.Tick(seconds(route.Every)) {
		program.execute(name, newTrace())
	}
}
