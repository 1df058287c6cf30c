// Package httplimit puts a limiter before an HTTP handler.
package httplimit

import (
	"net"
	"net/http"

	"example.test/ratelimit"
)

// New answers 429 for clients that ask too often.
func New(limiter ratelimit.Limiter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		decision := limiter.Allow(clientKey(r))
		if !decision.Allowed {
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func clientKey(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
