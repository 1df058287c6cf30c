// Command format fails when a file is not formatted as gofmt would, or a line is too long.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	bad := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		nice, err := format.Source(text)
		if err != nil || !bytes.Equal(nice, text) {
			fmt.Println(path, "is not formatted", err)
			bad++
		}
		for i, line := range strings.Split(string(text), "\n") {
			if len(line) > 140 {
				fmt.Printf("%s:%d: long line\n", path, i+1)
				bad++
			}
		}
		return nil
	})
	if err != nil || bad > 0 {
		fmt.Println(bad, err)
		os.Exit(1)
	}
}
