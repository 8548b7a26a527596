package settings

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a settings file that was read: its values, and where in the bytes
// they stand, so that one can be replaced and the rest left alone.
type document struct {
	path     string
	data     []byte
	settings Settings
	values   map[string]span  // by setting: the bytes of its value
	tables   map[string]place // by table, "" for the top: where a further setting of it goes
}

type span struct{ from, to int }

// place is where a new line of a table goes, and what its key is written after.
type place struct {
	offset int    // of the last byte that belongs to the line above
	prefix string // "calls." where the table is written as dotted keys
	inline bool   // offset is the table's closing brace
	empty  bool   // … and nothing is in it
}

// parse reads a settings file. Errors name path, line and mend.
func parse(path string, data []byte) (*document, error) {
	d := &document{path: path, data: data, settings: Defaults(), values: map[string]span{}, tables: map[string]place{}}
	// The decoder checks what the parser below does not: keys and tables written
	// twice, bad dates, bytes that are no text.
	var whole map[string]any
	if err := toml.Unmarshal(data, &whole); err != nil {
		return nil, d.syntax(err)
	}
	var parser unstable.Parser
	parser.Reset(data)
	table := ""
	for parser.NextExpression() {
		node := parser.Expression()
		switch node.Kind {
		case unstable.Table:
			header := node.Child()
			table = dotted(node.Key())
			if !isTable(table) {
				return nil, d.fault(int(header.Raw.Offset), fmt.Sprintf("there is no table [%s]: the tables are [calls], [relay], [sound] and [look]", table))
			}
			d.tables[table] = place{offset: int(header.Raw.Offset + header.Raw.Length)}
		case unstable.ArrayTable:
			return nil, d.fault(int(node.Child().Raw.Offset), "a table has single brackets, as in [calls]")
		case unstable.KeyValue:
			if err := d.take(&parser, table, node); err != nil {
				return nil, err
			}
		}
	}
	if err := parser.Error(); err != nil {
		return nil, d.syntax(err)
	}
	return d, nil
}

// take stores one "key = value" that stands in table, and notes where it stands.
func (d *document) take(parser *unstable.Parser, table string, node *unstable.Node) error {
	name := dotted(node.Key())
	if table != "" {
		name = table + "." + name
	}
	value := node.Value()
	end := int(node.Raw.Offset + node.Raw.Length)
	at := span{from: int(value.Raw.Offset), to: int(value.Raw.Offset + value.Raw.Length)}
	if value.Raw.Length == 0 {
		raw := parser.Range(value.Data)
		at = span{from: int(raw.Offset), to: int(raw.Offset + raw.Length)}
	}
	if table == "" {
		d.tables[""] = place{offset: end}
	}
	if value.Kind == unstable.InlineTable && isTable(name) {
		d.tables[name] = place{offset: end - 1, inline: true, empty: value.Child() == nil}
		for inner := value.Children(); inner.Next(); {
			if err := d.take(parser, name, inner.Node()); err != nil {
				return err
			}
		}
		return nil
	}
	key, err := find(name)
	if err != nil {
		return d.fault(int(node.Raw.Offset), err.Error()+"; put # before the line to switch it off")
	}
	text, ok := valueText(key, value)
	if !ok {
		return d.fault(at.from, fmt.Sprintf("%s is %s", name, example(key)))
	}
	if err := key.put(&d.settings, text); err != nil {
		return d.fault(at.from, err.Error())
	}
	d.values[name] = at
	if within, _ := split(name); !d.tables[within].inline {
		stands := place{offset: end}
		if within != table {
			stands.prefix = within + "."
		}
		d.tables[within] = stands
	}
	return nil
}

// valueText gives a value as the command line would write it.
func valueText(key Key, value *unstable.Node) (string, bool) {
	switch {
	case key.Kind == Switch && value.Kind == unstable.Bool, key.Kind != Switch && value.Kind == unstable.String:
		return string(value.Data), true
	default:
		return "", false
	}
}

func example(key Key) string {
	if key.Kind == Switch {
		return "true or false, without quotes"
	}
	return fmt.Sprintf("text in quotes, as in %q", key.Default)
}

func dotted(parts unstable.Iterator) string {
	var names []string
	for parts.Next() {
		names = append(names, string(parts.Node().Data))
	}
	return strings.Join(names, ".")
}

func isTable(name string) bool {
	for _, key := range keys {
		if table, _ := split(key.Name); table == name && table != "" {
			return true
		}
	}
	return false
}

func (d *document) fault(offset int, sentence string) error {
	return d.faultAt(bytes.Count(d.data[:offset], []byte("\n"))+1, sentence)
}

func (d *document) faultAt(line int, sentence string) error {
	return &sentenceError{sentence: fmt.Sprintf("%s, line %d: %s", d.path, line, sentence), cause: ErrBadFile}
}

func (d *document) syntax(err error) error {
	line := 1
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		line, _ = decode.Position()
	}
	reason := strings.TrimPrefix(err.Error(), "toml: ")
	return d.faultAt(line, reason+"; mend the line, or put # before it to switch it off")
}

// edit gives the file's bytes with one value changed. The result is read again:
// if anything but that value would differ, it is refused.
func edit(path string, data []byte, key Key, value string) ([]byte, error) {
	before, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	want := before.settings
	if err := key.put(&want, value); err != nil {
		return nil, err
	}
	at, present := before.values[key.Name]
	if present && want == before.settings {
		return data, nil
	}
	var edited []byte
	if present {
		edited = splice(data, at.from, at.to, literal(key, value))
	} else {
		edited = before.insert(key, value)
	}
	after, err := parse(path, edited)
	if err != nil || after.settings != want {
		_, leaf := split(key.Name)
		return nil, fmt.Errorf("%s is written in a way that Sotto cannot change by itself: write %s = %s into it yourself", path, leaf, literal(key, value))
	}
	return edited, nil
}

// insert adds a setting that the file does not name yet, below the others of its
// table.
func (d *document) insert(key Key, value string) []byte {
	newline := "\n"
	if bytes.Contains(d.data, []byte("\r\n")) {
		newline = "\r\n"
	}
	table, leaf := split(key.Name)
	line := leaf + " = " + literal(key, value)
	at, known := d.tables[table]
	switch {
	case known && at.inline && at.empty:
		return splice(d.data, at.offset, at.offset, " "+line+" ")
	case known && at.inline:
		end := len(bytes.TrimRight(d.data[:at.offset], " \t\r\n"))
		return splice(d.data, end, end, ", "+line)
	case known:
		return d.insertLine(at.offset, at.prefix+line, newline)
	case table == "" && len(d.tables) > 0:
		return splice(d.data, 0, 0, line+newline+newline)
	case table == "":
		return d.insertLine(len(d.data), line, newline)
	default:
		header := "[" + table + "]"
		if len(d.data) > 0 {
			header = newline + header
		}
		return d.insertLine(len(d.data), header+newline+line, newline)
	}
}

// insertLine adds a line below the one that offset is on.
func (d *document) insertLine(offset int, line, newline string) []byte {
	if length := bytes.IndexByte(d.data[offset:], '\n'); length >= 0 {
		end := offset + length + 1
		return splice(d.data, end, end, line+newline)
	}
	if len(d.data) == 0 || d.data[len(d.data)-1] == '\n' {
		return splice(d.data, len(d.data), len(d.data), line+newline)
	}
	return splice(d.data, len(d.data), len(d.data), newline+line+newline)
}

func splice(data []byte, from, to int, text string) []byte {
	joined := append(bytes.Clone(data[:from]), text...)
	return append(joined, data[to:]...)
}

// literal writes a value as TOML. Texts hold no control characters, so a quote
// and a backslash are all that needs care.
func literal(key Key, value string) string {
	if key.Kind == Switch {
		if value == "on" || value == "true" {
			return "true"
		}
		return "false"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
