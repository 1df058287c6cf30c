// Package calendar holds events of rooms.
package calendar

import (
	"errors"
	"strings"
	"time"
)

// Event takes a room for some time.
type Event struct {
	ID    int       `json:"id"`
	Title string    `json:"title"`
	Room  string    `json:"room"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Valid says what is wrong with an event, if anything is.
func (e Event) Valid() error {
	switch {
	case strings.TrimSpace(e.Title) == "":
		return errors.New("title is missing")
	case strings.TrimSpace(e.Room) == "":
		return errors.New("room is missing")
	case !e.End.After(e.Start):
		return errors.New("end must be after start")
	}
	return nil
}
