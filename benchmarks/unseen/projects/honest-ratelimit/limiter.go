// Package ratelimit limits how often something may happen, per key.
package ratelimit

import "time"

// Decision says whether an event may happen, and what is left.
type Decision struct {
	Allowed   bool
	Remaining int
	RetryIn   time.Duration
}

// Limiter decides for a key.
type Limiter interface {
	Allow(key string) Decision
}

// Clock gives the time; tests bring their own.
type Clock func() time.Time
