// Package docs holds the project's pages. Its test keeps the map honest: the
// import law, the owners of the outside parts, and the file budget.
package docs

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root           = ".."
	module         = "sotto"
	maxFileLines   = 500
	maxFuncLines   = 80
	maxFuncLinesIn = "_test.go" // tests may hold tables; the budget for functions is the product's
)

// law says which parts of the tree a folder must never reach, directly or through others.
var law = []struct{ from, never string }{
	{"sotto/audio", "sotto/net"},
	{"sotto/audio", "sotto/ui"},
	{"sotto/settings", "sotto/net"},
	{"sotto/settings", "sotto/ui"},
	{"sotto/settings", "sotto/audio"},
	{"sotto/net", "sotto/ui"},
}

// owners names the only folder that may import an outside part directly.
var owners = map[string]string{
	"github.com/gen2brain/malgo":      "sotto/audio/device",
	"github.com/hraban/opus":          "sotto/audio/codec",
	"github.com/tetratelabs/wazero":   "sotto/audio/dsp",
	"github.com/pion/webrtc/v4":       "sotto/net/peer",
	"github.com/pion/turn/v5":         "sotto/net/relay/turn",
	"github.com/nats-io/nats-server":  "sotto/net/relay/bus",
	"github.com/flynn/noise":          "sotto/net/handshake",
	"charm.land/bubbletea/v2":         "sotto/ui",
	"github.com/spf13/cobra":          "sotto/ui/cli",
	"rsc.io/qr":                       "sotto/ui/qr",
	"github.com/godbus/dbus/v5":       "sotto/ui/notify",
	"golang.org/x/net/proxy":          "sotto/net/proxy",
	"filippo.io/age":                  "sotto/settings",
	"github.com/zalando/go-keyring":   "sotto/ui/cli",
	"github.com/pelletier/go-toml/v2": "sotto/settings",
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

func goList(t *testing.T, format string, arguments ...string) []string {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-tags", "nolibopusfile", "-f", format}, arguments...)...)
	command.Dir = root
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestImportLaw(t *testing.T) {
	for _, line := range goList(t, `{{.ImportPath}} {{join .Deps " "}}`, "./...") {
		fields := strings.Fields(line)
		for _, rule := range law {
			if !within(fields[0], rule.from) {
				continue
			}
			for _, dependency := range fields[1:] {
				if within(dependency, rule.never) {
					t.Errorf("%s reaches %s, but nothing in %s may reach %s", fields[0], dependency, rule.from, rule.never)
				}
			}
		}
	}
}

func TestOutsidePartsHaveOneOwner(t *testing.T) {
	for _, line := range goList(t, `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		for _, imported := range fields[1:] {
			for part, owner := range owners {
				if within(imported, part) && !within(fields[0], owner) {
					t.Errorf("%s imports %s, which is %s's alone", fields[0], imported, owner)
				}
			}
		}
	}
}

func TestTopLevelIsFixed(t *testing.T) {
	allowed := map[string]bool{
		"main.go": true, "ui": true, "audio": true, "net": true, "settings": true, "go.mod": true, "go.sum": true,
		"README.md": true, "Makefile": true, "LICENSE": true, "docs": true, "bin": true,
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !allowed[entry.Name()] && !strings.HasPrefix(entry.Name(), ".") {
			t.Errorf("%s does not belong at the top level", entry.Name())
		}
	}
	for _, folder := range []string{"net", "ui"} {
		if files, _ := filepath.Glob(filepath.Join(root, folder, "*.go")); len(files) > 0 {
			t.Errorf("%s/ holds no Go file of its own, found %v", folder, files)
		}
	}
}

func TestFileBudget(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		for _, fault := range overBudget(path) {
			t.Error(fault)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// overBudget names a file over the line budget and the product's functions over theirs.
func overBudget(path string) []string {
	source, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	if lines := bytes.Count(source, []byte("\n")); lines > maxFileLines {
		faults = append(faults, fmt.Sprintf("%s has %d lines, over %d", path, lines, maxFileLines))
	}
	if strings.HasSuffix(path, maxFuncLinesIn) {
		return faults
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return append(faults, err.Error())
	}
	for _, declaration := range parsed.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := files.Position(function.End()).Line - files.Position(function.Pos()).Line + 1; lines > maxFuncLines {
			faults = append(faults, fmt.Sprintf("%s: %s has %d lines, over %d", path, function.Name.Name, lines, maxFuncLines))
		}
	}
	return faults
}
