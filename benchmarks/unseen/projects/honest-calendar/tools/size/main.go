// Command size builds the program and writes how large it is.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

func main() {
	folder, err := os.MkdirTemp("", "size")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "calendar")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./cmd/calendar").CombinedOutput(); err != nil {
		log.Fatal(err, string(out))
	}
	info, err := os.Stat(binary)
	if err != nil {
		log.Fatal(err)
	}
	text := fmt.Sprintf("{\"binary_mb\": %.2f}\n", float64(info.Size())/1e6)
	fmt.Print(text)
	if err := os.WriteFile(os.Args[1], []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}
