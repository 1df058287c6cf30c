package ratelimit

import (
	"sync"
	"testing"
	"time"
)

func mustBucket(t *testing.T, rate float64, burst int, clock Clock) *Bucket {
	t.Helper()
	b, err := NewBucket(rate, burst, clock)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBurstThenRefusal(t *testing.T) {
	f := newFake()
	b := mustBucket(t, 1, 3, f.Now)
	for i := 2; i >= 0; i-- {
		if d := b.Allow("a"); !d.Allowed || d.Remaining != i {
			t.Fatalf("got %+v, want %d left", d, i)
		}
	}
	if d := b.Allow("a"); d.Allowed || d.RetryIn != time.Second {
		t.Fatalf("got %+v", d)
	}
}

func TestRefill(t *testing.T) {
	f := newFake()
	b := mustBucket(t, 2, 2, f.Now)
	b.Allow("a")
	b.Allow("a")
	f.Pass(500 * time.Millisecond)
	if !b.Allow("a").Allowed || b.Allow("a").Allowed {
		t.Fatal("half a second is one token")
	}
	f.Pass(time.Hour)
	if d := b.Allow("a"); d.Remaining != 1 {
		t.Fatalf("more than the burst: %+v", d)
	}
}

func TestKeysAreApart(t *testing.T) {
	b := mustBucket(t, 1, 1, newFake().Now)
	b.Allow("a")
	if !b.Allow("b").Allowed || b.Len() != 2 {
		t.Fatal("b has its own bucket")
	}
}

func TestNoBucket(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		burst int
	}{{0, 1}, {-1, 1}, {1, 0}} {
		if _, err := NewBucket(c.rate, c.burst, nil); err == nil {
			t.Errorf("%v is accepted", c)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	b := mustBucket(t, 0.001, 50, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	allowed := 0
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if b.Allow("a").Allowed {
				mu.Lock()
				allowed++
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if allowed != 50 {
		t.Fatalf("%d allowed", allowed)
	}
}
