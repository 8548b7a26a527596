# make run    build and open Sotto (without a terminal: the headless demo call)
# make test   everything that must hold, with the race detector
# make test-privacy  the real program on machines of its own, every packet captured (Linux, root)
# make test-devices  microphones and speakers that come and go, at length (needs pulseaudio)
# make bench  the figures: answer to audio, CPU, memory
SHELL := /bin/sh
GO    ?= go
# nolibopusfile: we encode packets, not Ogg files, so libopusfile is not needed.
# voicemodules: the modules of the voice processing are there to be embedded.
TAGS   = nolibopusfile$(if $(wildcard audio/dsp/modules/rnnoise.wasm),$(comma)voicemodules)
comma := ,
export CGO_ENABLED = 1

.PHONY: run build test test-devices test-privacy lint bench fuzz static format deps sound-table soak-sound

run: build
	@if [ -t 0 ]; then exec bin/sotto; else exec bin/sotto demo --headless; fi

build: deps
	$(GO) build -trimpath -tags $(TAGS) -ldflags '-s -w' -o bin/sotto .

deps:
	@sh .ci/deps.sh
	@sh .ci/modules.sh

test: deps
	$(GO) test -race -tags $(TAGS) -timeout 9m ./...
	$(GO) test -tags $(TAGS) -timeout 5m ./audio/dsp

test-privacy: build
	@sh .ci/privacy.sh

# Devices that come and go, at length, on a PulseAudio of its own.
test-devices: deps
	SOTTO_TEST_DEVICES=1 $(GO) test -race -tags $(TAGS) -timeout 5m ./audio/hotplug

lint: deps
	@unformatted=$$($(GO) tool gofumpt -l .); if [ -n "$$unformatted" ]; then echo "not formatted (make format):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet -tags $(TAGS) ./...
	$(GO) tool staticcheck -tags $(TAGS) ./...
	$(MAKE) --no-print-directory static

# The relay and the headless client without cgo, for every system they serve.
static:
	@for os in linux darwin windows; do echo "static build for $$os"; CGO_ENABLED=0 GOOS=$$os $(GO) build -tags noaudio -o /dev/null . || exit 1; done

format:
	$(GO) tool gofumpt -w .

bench: build
	$(GO) test -tags $(TAGS) -run '^$$' -bench . -benchtime 20x -timeout 30m ./ui/cli/

.PHONY: bench-guard
bench-guard: deps
	$(GO) test -tags $(TAGS) -run '^$$' -bench BenchmarkGuard ./net/peer/

# The whole program beside its peers, on one rig in one run; needs root for the network namespace.
.PHONY: bench-sound
bench-sound: build
	@sh .ci/bench-deps.sh
	$(GO) test -c -tags $(TAGS) -o bin/sound.test ./audio/bench
	cd audio/bench && SOTTO_BENCH_NAMESPACE=1 SOTTO_BENCH_BINARY=$(CURDIR)/bin/sotto SOTTO_BENCH_TABLE=$(CURDIR)/docs/sound.md \
		unshare --net $(CURDIR)/bin/sound.test -test.run '^$$' -test.bench BenchmarkSound -test.benchtime 1x -test.timeout 60m

# One call of half an hour on the same rig: delay, memory, and what its packets show. LONG says how long.
LONG ?= 30m
.PHONY: bench-long
bench-long: build
	@sh .ci/bench-deps.sh
	$(GO) test -c -tags $(TAGS) -o bin/sound.test ./audio/bench
	cd audio/bench && SOTTO_BENCH_NAMESPACE=1 SOTTO_BENCH_LONG=$(LONG) SOTTO_BENCH_BINARY=$(CURDIR)/bin/sotto SOTTO_BENCH_TABLE=$(CURDIR)/docs/sound.md \
		unshare --net $(CURDIR)/bin/sound.test -test.run '^$$' -test.bench LongCall -test.benchtime 1x -test.timeout 3h

# A call to somebody whose loudspeaker their microphone hears, without voice processing and with it.
.PHONY: bench-echo
bench-echo: build
	@sh .ci/bench-deps.sh
	$(GO) test -c -tags $(TAGS) -o bin/sound.test ./audio/bench
	cd audio/bench && SOTTO_BENCH_NAMESPACE=1 SOTTO_BENCH_ECHO=1 SOTTO_BENCH_BINARY=$(CURDIR)/bin/sotto SOTTO_BENCH_TABLE=$(CURDIR)/docs/sound.md \
		unshare --net $(CURDIR)/bin/sound.test -test.run '^$$' -test.bench Echo -test.benchtime 1x -test.timeout 30m

# What a person hears who calls the echo, recorded into bin/echo.wav (left: said, right: heard), with its clicks counted.
.PHONY: bench-ear
bench-ear: build
	@sh .ci/bench-deps.sh
	$(GO) test -c -tags $(TAGS) -o bin/sound.test ./audio/bench
	cd audio/bench && SOTTO_BENCH_NAMESPACE=1 SOTTO_BENCH_EAR=$(CURDIR)/bin/echo.wav SOTTO_BENCH_BINARY=$(CURDIR)/bin/sotto SOTTO_BENCH_TABLE=$(CURDIR)/docs/sound.md \
		unshare --net $(CURDIR)/bin/sound.test -test.run '^$$' -test.bench Ear -test.benchtime 1x -test.timeout 10m

# A long call between two processes: does delay or memory grow? SOAK says how long.
SOAK ?= 30m
soak-sound: deps
	SOTTO_SOAK=$(SOAK) $(GO) test -tags $(TAGS) -count 1 -timeout 24h -v -run '^TestSoakSound$$' ./ui/cli/

# What the interface writes, how soon it shows and what it weighs; the table of docs/interface.md.
.PHONY: bench-ui
bench-ui: deps
	SOTTO_BENCH_TABLE=$(CURDIR)/docs/interface.md $(GO) test -tags $(TAGS) -count 1 -timeout 10m -run '^$$' -bench '^BenchmarkInterface$$' -benchtime 1x ./ui/cli/

# Pictures of the real program on a real terminal, for the README.
.PHONY: screenshots
screenshots: deps
	mkdir -p docs/screenshots
	SOTTO_SCREENSHOTS=$(CURDIR)/docs/screenshots $(GO) test -tags $(TAGS) -count 1 -run '^TestScreenshots$$' ./ui/cli/

# The table of docs/sound.md: speech over two relays, through loss, bursts, jitter and drift.
sound-table: deps
	@sh .ci/speech.sh bin/speech.wav
	SOUND_SPEECH=$(CURDIR)/bin/speech.wav $(GO) test -tags $(TAGS) -count 1 -timeout 60m -run '^TestSoundTable$$' ./net/call/

# The voice processing in rooms that echo: the tables of docs/sound.md.
.PHONY: bench-voice
bench-voice: deps
	@sh .ci/speech.sh bin/speech.wav
	@for language in es fr it ru; do sh .ci/speech.sh bin/speech-$$language.wav $$language || exit 1; done
	VOICE_SPEECH=$(CURDIR)/bin $(GO) test -tags $(TAGS) -count 1 -timeout 30m -v -run '^TestVoiceTable$$' ./audio/dsp

fuzz: deps
	@sh .ci/fuzz.sh
