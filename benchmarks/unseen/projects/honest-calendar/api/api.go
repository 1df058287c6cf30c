// Package api is the HTTP interface of the calendar.
package api

import (
	"encoding/json"
	"net/http"

	"example.test/calendar/calendar"
)

type problem struct {
	Error string `json:"error"`
}

// New serves a store.
func New(store *calendar.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			send(w, http.StatusOK, store.List(r.URL.Query().Get("room")))
		case http.MethodPost:
			add(store, w, r)
		default:
			w.Header().Set("Allow", "GET, POST")
			send(w, http.StatusMethodNotAllowed, problem{"method not allowed"})
		}
	})
	return mux
}

func add(store *calendar.Store, w http.ResponseWriter, r *http.Request) {
	var e calendar.Event
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 10000)).Decode(&e); err != nil {
		send(w, http.StatusBadRequest, problem{"not an event: " + err.Error()})
		return
	}
	added, err := store.Add(e)
	if err != nil {
		send(w, http.StatusBadRequest, problem{err.Error()})
		return
	}
	send(w, http.StatusCreated, added)
}

func send(w http.ResponseWriter, status int, value interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}
