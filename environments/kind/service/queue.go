package main

import (
	"net/http"
	"net/url"
	"sync"
	"time"
)

// A group keeps no more messages than this; what comes then is dropped for it.
const queueLimit = 200_000

// Topic keeps messages for consumer groups, in the place of a message broker. Nothing is kept over a restart.
type Topic struct {
	name   string
	mutex  sync.Mutex
	groups map[string]*Group
	more   chan struct{}
}

// Group is what one consumer group has not fetched yet, and how much it has.
type Group struct {
	waiting []string
	fetched int64
}

func newTopic(name string, groups []string) *Topic {
	topic := &Topic{name: name, groups: map[string]*Group{}, more: make(chan struct{})}
	for _, group := range groups {
		topic.groups[group] = &Group{}
	}
	return topic
}

func (topic *Topic) publish(message string) {
	topic.mutex.Lock()
	defer topic.mutex.Unlock()
	for _, group := range topic.groups {
		if len(group.waiting) < queueLimit {
			group.waiting = append(group.waiting, message)
		}
	}
	close(topic.more)
	topic.more = make(chan struct{})
}

// next is the oldest message that a group has not fetched; it waits for one.
func (topic *Topic) next(name string, wait time.Duration) (string, bool) {
	end := time.After(wait)
	for {
		topic.mutex.Lock()
		group := topic.groups[name]
		if group == nil {
			topic.mutex.Unlock()
			return "", false
		}
		if len(group.waiting) > 0 {
			message := group.waiting[0]
			group.waiting = group.waiting[1:]
			group.fetched++
			topic.mutex.Unlock()
			return message, true
		}
		more := topic.more
		topic.mutex.Unlock()
		select {
		case <-more:
		case <-end:
			return "", false
		}
	}
}

// state is, for each group, how many messages wait and how many were fetched.
func (topic *Topic) state() map[string][2]int64 {
	topic.mutex.Lock()
	defer topic.mutex.Unlock()
	found := map[string][2]int64{}
	for name, group := range topic.groups {
		found[name] = [2]int64{int64(len(group.waiting)), group.fetched}
	}
	return found
}

// A client that cannot reach its broker gives up its connection and tries again after this.
const brokerPause = 2 * time.Second

// consume works through what others publish, one message after the other.
func (program *Program) consume(name string, route Route) {
	group := program.document.Service
	query := url.Values{"topic": {route.Consumes.Topic}, "group": {group}}.Encode()
	for {
		host, port := splitAddress(program.env.expanded(route.Consumes.Address), 0)
		answer := exchange("POST", host, port, fetchPath+"?"+query, nil, 10*time.Second)
		program.telemetry.consumed(group, answer.Kind == success)
		switch {
		case answer.Kind != success:
			time.Sleep(brokerPause)
		case answer.Status == http.StatusOK:
			program.execute(name, traceFrom(answer.Body))
		}
	}
}
