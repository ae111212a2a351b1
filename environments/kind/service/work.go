package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// The processor time of a request varies: its standard deviation is half of its mean, as in the twin.
var cpuSigma = math.Sqrt(math.Log(1.25))

const clockThreadCPU = 3

// threadTime is the processor time of the calling thread.
func threadTime() time.Duration {
	var spec syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&spec)), 0)
	return time.Duration(spec.Nano())
}

// burn uses so much processor time.
func burn(amount time.Duration) {
	if amount <= 0 {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	end := threadTime() + amount
	for threadTime() < end {
		for range 2000 {
			sink.Add(1)
		}
	}
}

var sink atomic.Uint64

func seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }

// lognormal draws by median and sigma of the logarithm.
func lognormal(median, sigma float64) float64 { return median * math.Exp(sigma*rand.NormFloat64()) }

// Processor lets so many threads of the program compute at once.
type Processor struct{ turns chan struct{} }

func newProcessor(threads int) *Processor {
	if threads <= 0 {
		return &Processor{}
	}
	return &Processor{turns: make(chan struct{}, threads)}
}

// request uses the processor time of one request of a mean.
func (processor *Processor) request(mean float64) {
	if mean <= 0 {
		return
	}
	if processor.turns != nil {
		processor.turns <- struct{}{}
		defer func() { <-processor.turns }()
	}
	burn(seconds(lognormal(mean*math.Exp(-cpuSigma*cpuSigma/2), cpuSigma)))
}

// Ballast is memory that a program holds beside what it needs to run: outside the heap, and written to, so that it counts.
type Ballast struct {
	mutex sync.Mutex
	held  float64
	owed  float64
}

const page = 4096

// grow takes so many more bytes; what is less than a page is remembered.
func (ballast *Ballast) grow(amount float64) {
	ballast.mutex.Lock()
	defer ballast.mutex.Unlock()
	ballast.owed += amount
	size := int(ballast.owed/page) * page
	if size <= 0 {
		return
	}
	block, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return // the kernel has no more: the program goes on with what it has
	}
	for at := 0; at < size; at += page {
		block[at] = 1
	}
	ballast.owed -= float64(size)
	ballast.held += float64(size)
}

// fill brings what the program holds, its own needs included, to so many bytes.
func (ballast *Ballast) fill(total float64) { ballast.grow(math.Max(total-resident(), 0)) }

// resident is what the process has in memory now.
func resident() float64 {
	var usage struct{ size, resident int }
	if text, err := readSmall("/proc/self/statm"); err == nil {
		scanTwo(text, &usage.size, &usage.resident)
	}
	return float64(usage.resident) * page
}

// leak grows by rate() bytes a second for ever.
func (ballast *Ballast) leak(rate func() float64) {
	const step = 500 * time.Millisecond
	for range time.Tick(step) {
		if now := rate(); now > 0 {
			ballast.grow(now * step.Seconds())
		}
	}
}

// buffers are reused, so that requests hold what they hold without more work for the garbage collector.
var buffers sync.Map // size → *sync.Pool

func borrow(size int) func() {
	if size <= 0 {
		return func() {}
	}
	found, _ := buffers.LoadOrStore(size, &sync.Pool{New: func() any { block := make([]byte, size); return &block }})
	pool := found.(*sync.Pool)
	block := pool.Get().(*[]byte)
	for at := 0; at < size; at += page {
		(*block)[at]++
	}
	return func() { pool.Put(block) }
}

// spin keeps as many processors busy as cores() says, in steps of a fifth of a second.
func spin(cores func() float64) {
	const step = 200 * time.Millisecond
	for {
		wanted := math.Min(cores(), float64(runtime.NumCPU()))
		if wanted <= 0 {
			time.Sleep(time.Second)
			continue
		}
		begin := time.Now()
		var group sync.WaitGroup
		for left := wanted; left > 0; left-- {
			share := math.Min(left, 1)
			group.Add(1)
			go func() {
				defer group.Done()
				burn(time.Duration(share * float64(step)))
			}()
		}
		group.Wait()
		time.Sleep(step - time.Since(begin))
	}
}
