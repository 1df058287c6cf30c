package calendar

import (
	"sort"
	"sync"
)

// Store keeps events in memory.
type Store struct {
	mu     sync.RWMutex
	last   int
	events []Event
}

// Add keeps an event and gives it an id.
func (s *Store) Add(e Event) (Event, error) {
	if err := e.Valid(); err != nil {
		return Event{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	e.ID = s.last
	s.events = append(s.events, e)
	return e, nil
}

// List gives the events of a room, or of all rooms for "", the earliest first.
func (s *Store) List(room string) []Event {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := []Event{}
	for _, e := range s.events {
		if room == "" || e.Room == room {
			found = append(found, e)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].Start.Before(found[j].Start) })
	return found
}
