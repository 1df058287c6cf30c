package calendar

import "testing"

func TestValid(t *testing.T) {
	if err := at(9, 10).Valid(); err != nil {
		t.Fatal(err)
	}
}

func TestNotValid(t *testing.T) {
	noTitle, noRoom := at(9, 10), at(9, 10)
	noTitle.Title, noRoom.Room = " ", ""
	for want, e := range map[string]Event{
		"title is missing": noTitle, "room is missing": noRoom, "end must be after start": at(9, 9),
	} {
		t.Run(want, func(t *testing.T) {
			if err := e.Valid(); err == nil || err.Error() != want {
				t.Fatalf("got %v", err)
			}
		})
	}
}
