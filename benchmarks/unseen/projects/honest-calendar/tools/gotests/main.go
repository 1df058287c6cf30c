// Command gotests runs all tests of the module and writes JUnit XML, and an lcov file when it is asked for:
//
//	go run ./tools/gotests -junit junit.xml [-lcov lcov.info]
package main

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type message struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type testcase struct {
	Classname string   `xml:"classname,attr"`
	Name      string   `xml:"name,attr"`
	Time      string   `xml:"time,attr"`
	Failure   *message `xml:"failure,omitempty"`
	Skipped   *message `xml:"skipped,omitempty"`
}

type testsuite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Skipped  int        `xml:"skipped,attr"`
	Cases    []testcase `xml:"testcase"`
}

type testsuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []*testsuite `xml:"testsuite"`
}

func main() {
	junit := flag.String("junit", "junit.xml", "where the JUnit XML goes")
	lcov := flag.String("lcov", "", "where the lcov file goes")
	flag.Parse()
	if err := run(*junit, *lcov); err != nil {
		fmt.Fprintln(os.Stderr, "gotests:", err)
		os.Exit(1)
	}
}

func run(junit, lcov string) error {
	args := []string{"test", "-json", "-count=1"}
	profile := ""
	if lcov != "" {
		folder, err := os.MkdirTemp("", "gotests")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		profile = filepath.Join(folder, "cover.out")
		args = append(args, "-coverprofile", profile)
	}
	packages, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(packages)) {
		if !strings.Contains(name, "/tools/") {
			args = append(args, name)
		}
	}
	command := exec.Command("go", args...)
	command.Stderr = os.Stderr
	pipe, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	report := collect(bufio.NewScanner(pipe))
	failed := command.Wait()
	text, err := xml.MarshalIndent(report, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(junit, append([]byte(xml.Header), text...), 0o644); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	if lcov != "" {
		return writeLcov(profile, lcov)
	}
	return nil
}

func collect(lines *bufio.Scanner) testsuites {
	lines.Buffer(nil, 1<<20)
	suites := map[string]*testsuite{}
	output := map[string]string{}
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		key := e.Package + " " + e.Test
		if e.Action == "output" {
			output[key] += e.Output
			fmt.Print(e.Output)
			continue
		}
		if e.Action != "pass" && e.Action != "fail" && e.Action != "skip" {
			continue
		}
		suite := suites[e.Package]
		if suite == nil {
			suite = &testsuite{Name: e.Package}
			suites[e.Package] = suite
		}
		if e.Test == "" {
			if e.Action != "fail" || suite.Failures > 0 {
				continue
			}
			e.Test = "package" // it did not compile, or it panicked
		}
		one := testcase{Classname: e.Package, Name: e.Test, Time: fmt.Sprintf("%.3f", e.Elapsed)}
		suite.Tests++
		switch e.Action {
		case "fail":
			suite.Failures++
			one.Failure = &message{"failed", output[key]}
		case "skip":
			suite.Skipped++
			one.Skipped = &message{"skipped", output[key]}
		}
		suite.Cases = append(suite.Cases, one)
	}
	var all testsuites
	for _, suite := range suites {
		if suite.Tests > 0 {
			all.Suites = append(all.Suites, suite)
		}
	}
	sort.Slice(all.Suites, func(i, j int) bool { return all.Suites[i].Name < all.Suites[j].Name })
	return all
}

// writeLcov turns a cover profile into lcov, file names relative to the module.
func writeLcov(profile, target string) error {
	module, err := exec.Command("go", "list", "-m").Output()
	if err != nil {
		return err
	}
	prefix := strings.TrimSpace(string(module)) + "/"
	text, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	hits := map[string]map[int]int{}
	for _, line := range strings.Split(string(text), "\n") {
		colon := strings.LastIndex(line, ":")
		var from, fromColumn, to, toColumn, statements, count int
		if colon < 0 {
			continue
		}
		if n, _ := fmt.Sscanf(line[colon+1:], "%d.%d,%d.%d %d %d", &from, &fromColumn, &to, &toColumn, &statements, &count); n != 6 {
			continue
		}
		file := strings.TrimPrefix(line[:colon], prefix)
		if hits[file] == nil {
			hits[file] = map[int]int{}
		}
		for i := from; i <= to; i++ {
			if before, known := hits[file][i]; !known || count > before {
				hits[file][i] = count
			}
		}
	}
	var out strings.Builder
	var files []string
	for file := range hits {
		files = append(files, file)
	}
	sort.Strings(files)
	for _, file := range files {
		var lines []int
		hit := 0
		for line, count := range hits[file] {
			lines = append(lines, line)
			if count > 0 {
				hit++
			}
		}
		sort.Ints(lines)
		fmt.Fprintf(&out, "TN:\nSF:%s\n", file)
		for _, line := range lines {
			fmt.Fprintf(&out, "DA:%d,%d\n", line, hits[file][line])
		}
		fmt.Fprintf(&out, "LF:%d\nLH:%d\nend_of_record\n", len(lines), hit)
	}
	return os.WriteFile(target, []byte(out.String()), 0o644)
}
