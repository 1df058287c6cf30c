package httplimit

import (
	"net/http/httptest"
	"testing"
)

func TestClientKey(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "pipe": "pipe",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = address
		if got := clientKey(r); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}
