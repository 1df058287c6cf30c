// Command calendar serves the calendar.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"

	"example.test/calendar/api"
	"example.test/calendar/calendar"
)

func main() {
	port := flag.Int("port", 8090, "where to listen")
	flag.Parse()

	store := &calendar.Store{}
	mux := http.NewServeMux()
	mux.Handle("/", api.New(store))

	log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), mux))
}
