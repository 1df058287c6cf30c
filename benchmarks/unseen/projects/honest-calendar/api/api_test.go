package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"example.test/calendar/calendar"
)

const talk = `{"title":"talk","room":"blue","start":"2024-06-03T09:00:00Z","end":"2024-06-03T10:00:00Z"}`

func ask(store *calendar.Store, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	New(store).ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestAddAndList(t *testing.T) {
	store := &calendar.Store{}
	if w := ask(store, "POST", "/events", talk); w.Code != 201 || !strings.HasPrefix(w.Body.String(), `{"id":1,"title":"talk"`) {
		t.Fatal(w.Code, w.Body)
	}
	if w := ask(store, "GET", "/events?room=red", ""); w.Body.String() != "[]\n" {
		t.Fatal(w.Body)
	}
}

func TestBadRequests(t *testing.T) {
	for _, body := range []string{"", "{", `{"title":5}`, `{"title":"a","room":"b"}`} {
		if w := ask(&calendar.Store{}, "POST", "/events", body); w.Code != 400 || !strings.Contains(w.Body.String(), `"error"`) {
			t.Error(body, w.Code, w.Body)
		}
	}
}

func TestWrongMethod(t *testing.T) {
	if w := ask(&calendar.Store{}, "PUT", "/events", talk); w.Code != 405 || w.Header().Get("Allow") != "GET, POST" {
		t.Fatal(w.Code, w.Header())
	}
}
