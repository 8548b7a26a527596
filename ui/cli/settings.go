package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"sotto/audio/open"
	"sotto/settings"
	"sotto/ui/tui"
)

func (p *program) settingsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "settings",
		Short:   "Show and change settings",
		Example: "  sotto settings list\n  sotto settings get calls.who\n  sotto settings set calls.who verified",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.listSettings() },
	}
	command.AddCommand(
		&cobra.Command{Use: "path", Short: "Print where the settings file is", Args: noArguments, RunE: func(*cobra.Command, []string) error {
			opened, err := p.openLocked()
			if err != nil {
				return err
			}
			p.say("%s", opened.Paths.Settings)
			return nil
		}},
		&cobra.Command{Use: "list", Short: "List every setting", Args: noArguments, RunE: func(*cobra.Command, []string) error { return p.listSettings() }},
		&cobra.Command{Use: "get KEY", Short: "Print one setting", Args: exactArguments("a key"), RunE: func(_ *cobra.Command, words []string) error {
			return p.getSetting(words[0])
		}},
		&cobra.Command{Use: "set KEY VALUE", Short: "Change one setting", Args: exactArguments("a key", "a value"), RunE: func(_ *cobra.Command, words []string) error {
			if err := means(words[0], words[1]); err != nil {
				return err
			}
			return p.setSetting(words[0], words[1])
		}},
		p.passphraseCommand(),
		&cobra.Command{Use: "edit", Short: "Open the settings file in your editor ($EDITOR)", Args: noArguments, RunE: func(*cobra.Command, []string) error { return p.editSettings() }},
	)
	return command
}

// setSetting writes one setting, beside whichever process owns the profile: that one
// follows the file.
func (p *program) setSetting(key, value string) error {
	opened, err := p.openLocked()
	if err != nil {
		return err
	}
	if err := opened.Set(key, value); err != nil || p.json {
		return err
	}
	if lock, err := settings.Lock(opened.Paths); errors.Is(err, settings.ErrInUse) {
		p.say("Saved. Sotto runs for this profile, and takes it over within a second.")
	} else if err == nil {
		_ = lock.Release()
	}
	if value, err := opened.Get(key); key == "calls.direct" && err == nil && value == "on" {
		p.sayAddress(opened)
	}
	return nil
}

// means refuses a microphone or speaker that could never be opened, and keys that
// are taken.
func means(key, value string) error {
	switch key {
	case "sound.mic":
		return open.MeansSource(value)
	case "sound.speaker", "sound.ring":
		return open.MeansSink(value)
	case "look.keys":
		if err := tui.CheckKeys(value); err != nil {
			return usage("%w", err)
		}
	}
	return nil
}

type settingEvent struct {
	header
	Key     string `json:"key"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

func (p *program) listSettings() error {
	opened, err := p.openLocked()
	if err != nil {
		return err
	}
	loaded, err := opened.Settings()
	if err != nil {
		return err
	}
	for _, key := range settings.Keys() {
		value, err := settings.Get(loaded, key.Name)
		if err != nil {
			return err
		}
		if p.json {
			p.emit(settingEvent{now("setting"), key.Name, value, key.Default, key.Doc})
		} else {
			p.say("%-18s %-12s %s", key.Name, value, key.Doc)
		}
	}
	return nil
}

func (p *program) getSetting(name string) error {
	opened, err := p.openLocked()
	if err != nil {
		return err
	}
	value, err := opened.Get(name)
	if err != nil {
		return err
	}
	if !p.json {
		p.say("%s", value)
		return nil
	}
	for _, key := range settings.Keys() {
		if key.Name == name {
			p.emit(settingEvent{now("setting"), key.Name, value, key.Default, key.Doc})
		}
	}
	return nil
}

// editSettings opens the file in the person's editor and checks what they saved.
func (p *program) editSettings() error {
	opened, err := p.openLocked()
	if err != nil {
		return err
	}
	if err := settings.Create(opened.Paths.Settings); err != nil {
		return err
	}
	editor := os.Getenv("VISUAL")
	if editor == "" {
		editor = os.Getenv("EDITOR")
	}
	if editor == "" {
		return usage("no editor is chosen; set EDITOR, or change single settings with sotto settings set")
	}
	// The editor may have arguments of its own; the path is handed over so that no
	// letter in it means anything to the shell.
	run := exec.Command("sh", "-c", editor+` "$1"`, "sh", opened.Paths.Settings)
	if runtime.GOOS == "windows" {
		run = exec.Command("cmd", "/C", editor+` "`+opened.Paths.Settings+`"`)
	}
	run.Stdin, run.Stdout, run.Stderr = p.stdin, p.stdout, p.stderr
	if err := run.Run(); err != nil {
		return fmt.Errorf("the editor %q did not end well (%w); set EDITOR to another, or change single settings with sotto settings set", editor, err)
	}
	_, err = opened.Settings()
	return err
}
