package httplimit

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"example.test/ratelimit"
)

type fixed ratelimit.Decision

func (f fixed) Allow(string) ratelimit.Decision { return ratelimit.Decision(f) }

func ask(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("hello")) })

func TestAllowed(t *testing.T) {
	w := ask(New(fixed{Allowed: true, Remaining: 4}, hello))
	if w.Code != 200 || w.Body.String() != "hello" {
		t.Fatal(w.Code, w.Body)
	}
}

func TestRefused(t *testing.T) {
	w := ask(New(fixed{}, hello))
	if w.Code != 429 || w.Body.String() != "too many requests\n" {
		t.Fatal(w.Code, w.Body)
	}
}
