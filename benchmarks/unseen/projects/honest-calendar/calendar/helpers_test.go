package calendar

import "time"

var monday = time.Date(2024, 6, 3, 0, 0, 0, 0, time.UTC)

// at makes an event in the blue room on that Monday.
func at(from, to int) Event {
	return Event{Title: "talk", Room: "blue",
		Start: monday.Add(time.Duration(from) * time.Hour), End: monday.Add(time.Duration(to) * time.Hour)}
}
