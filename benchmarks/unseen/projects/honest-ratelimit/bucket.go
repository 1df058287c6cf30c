package ratelimit

import (
	"fmt"
	"sync"
	"time"
)

type state struct {
	tokens float64
	last   time.Time
}

// Bucket is a token bucket per key: Burst tokens at most, refilled at Rate per second.
type Bucket struct {
	rate  float64
	burst int
	now   Clock

	mu   sync.Mutex
	keys map[string]*state
}

// NewBucket makes a Bucket. A nil clock is the real one.
func NewBucket(rate float64, burst int, clock Clock) (*Bucket, error) {
	if rate <= 0 || burst < 1 {
		return nil, fmt.Errorf("ratelimit: rate %v and burst %d make no bucket", rate, burst)
	}
	if clock == nil {
		clock = time.Now
	}
	return &Bucket{rate: rate, burst: burst, now: clock, keys: map[string]*state{}}, nil
}

// Allow takes a token if there is one.
func (b *Bucket) Allow(key string) Decision {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	s := b.keys[key]
	if s == nil {
		s = &state{tokens: float64(b.burst), last: now}
		b.keys[key] = s
	}
	s.tokens += now.Sub(s.last).Seconds() * b.rate
	if s.tokens > float64(b.burst) {
		s.tokens = float64(b.burst)
	}
	s.last = now
	if s.tokens < 1 {
		wait := time.Duration((1 - s.tokens) / b.rate * float64(time.Second))
		return Decision{Allowed: false, RetryIn: wait}
	}
	s.tokens--
	return Decision{Allowed: true, Remaining: int(s.tokens)}
}

// Len is how many keys are known.
func (b *Bucket) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.keys)
}
