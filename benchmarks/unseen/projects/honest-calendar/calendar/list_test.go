package calendar

import "testing"

func TestListIsSorted(t *testing.T) {
	var s Store
	for _, hour := range []int{14, 8, 11} {
		if _, err := s.Add(at(hour, hour+1)); err != nil {
			t.Fatal(err)
		}
	}
	list := s.List("blue")
	if len(list) != 3 || list[0].ID != 2 || list[2].ID != 1 {
		t.Fatal(list)
	}
}

func TestListOfARoom(t *testing.T) {
	var s Store
	e := at(9, 10)
	e.Room = "red"
	s.Add(e)
	s.Add(at(9, 10))
	if len(s.List("red")) != 1 || len(s.List("")) != 2 || len(s.List("green")) != 0 {
		t.Fatal(s.events)
	}
}
