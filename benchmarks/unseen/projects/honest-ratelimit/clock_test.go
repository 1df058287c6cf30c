package ratelimit

import "time"

type fake struct{ now time.Time }

func newFake() *fake {
	return &fake{time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (f *fake) Now() time.Time { return f.now }

func (f *fake) Pass(d time.Duration) { f.now = f.now.Add(d) }
