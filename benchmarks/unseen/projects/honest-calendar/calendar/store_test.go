package calendar

import "testing"

func TestAddGivesIDs(t *testing.T) {
	var s Store
	a, _ := s.Add(at(9, 10))
	b, _ := s.Add(at(9, 10))
	if a.ID != 1 || b.ID != 2 {
		t.Fatal(a, b)
	}
}

func TestAddRefusesWhatIsNotValid(t *testing.T) {
	var s Store
	if _, err := s.Add(at(10, 9)); err == nil || len(s.List("")) != 0 {
		t.Fatal("accepted")
	}
}
