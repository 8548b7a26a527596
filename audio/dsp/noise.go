package dsp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"sotto/audio"
)

// noise is RNNoise (J.-M. Valin, "A Hybrid DSP/Deep Learning Approach to Real-Time
// Full-Band Speech Enhancement", MMSP 2018) in a WebAssembly sandbox of its own.
// Until it is ready, and if it fails, sound passes through as it is.
type noise struct {
	ready   chan *rnnoise // capacity 1: nil if it did not start
	opening bool          // nothing came out of ready yet
	running *rnnoise      // nil: not yet, or no more

	quiet int     // periods since somebody spoke
	level float32 // factor of hush, at the end of the last period

	delayed []float32 // the period before this one, for when it does not run
	keep    []float32
}

// rnnoise is a module that runs.
type rnnoise struct {
	runtime wazero.Runtime
	memory  api.Memory
	call    api.Function
	stack   [3]uint64
	state   uint64
	buffer  uint32 // address of a period in memory
}

const (
	noiseDelay = audio.PeriodSamples // RNNoise overlaps windows of two periods
	noiseScale = 32768               // it works on the range of 16-bit samples

	hushSpeech = 0.3 // how sure RNNoise must be
	hushAfter  = 20  // periods that a pause in speech may take
	hushFall   = 0.8 // 2 dB a period
	hushLeast  = 0.2 // -14 dB
)

// compiled keeps RNNoise's machine code between calls.
var compiled = sync.OnceValue(wazero.NewCompilationCache)

// openNoise starts the module beside the sound: it takes a tenth of a second the
// first time.
func openNoise() *noise {
	n := &noise{
		ready: make(chan *rnnoise, 1), opening: true, level: 1,
		delayed: make([]float32, audio.PeriodSamples), keep: make([]float32, audio.PeriodSamples),
	}
	go func() {
		m := &rnnoise{runtime: wazero.NewRuntimeWithConfig(context.Background(),
			wazero.NewRuntimeConfig().WithCompilationCache(compiled()).WithMemoryLimitPages(256))}
		if m.start(context.Background()) != nil {
			m.close()
			m = nil
		}
		n.ready <- m
	}()
	return n
}

// wait returns when the module runs, or does not start.
func (n *noise) wait() {
	if n.opening {
		n.running, n.opening = <-n.ready, false
	}
}

func (n *noise) close() {
	n.wait()
	if n.running != nil {
		n.running.close()
		n.running = nil
	}
}

func (m *rnnoise) close() { _ = m.runtime.Close(context.Background()) }

func (m *rnnoise) start(ctx context.Context) error {
	const i32 = api.ValueTypeI32
	_, err := m.runtime.NewHostModuleBuilder("env").
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(copyMemory), []api.ValueType{i32, i32, i32}, []api.ValueType{i32}).Export("emscripten_memcpy_big").
		NewFunctionBuilder().WithFunc(func(uint32) uint32 { return 0 }).Export("emscripten_resize_heap").
		NewFunctionBuilder().WithFunc(func(_, _, _, _ uint32) { panic("rnnoise: assertion failed") }).Export("__assert_fail").
		Instantiate(ctx)
	if err != nil {
		return err
	}
	module, err := m.runtime.InstantiateWithConfig(ctx, rnnoiseModule, wazero.NewModuleConfig().WithStartFunctions("emscripten_stack_init", "__wasm_call_ctors"))
	if err != nil {
		return err
	}
	m.memory, m.call = module.Memory(), module.ExportedFunction("rnnoise_process_frame")
	for _, step := range []struct {
		name     string
		argument uint64
		out      *uint64
	}{{"rnnoise_create", 0, &m.state}, {"malloc", 4 * audio.PeriodSamples, &m.stack[0]}} {
		results, err := module.ExportedFunction(step.name).Call(ctx, step.argument)
		if err != nil || len(results) != 1 || results[0] == 0 {
			return errors.Join(fmt.Errorf("rnnoise: %s gave nothing", step.name), err)
		}
		*step.out = results[0]
	}
	m.buffer = uint32(m.stack[0])
	return nil
}

// copyMemory is memcpy(to, from, size) for the module.
func copyMemory(_ context.Context, module api.Module, stack []uint64) {
	to, from, size := uint32(stack[0]), uint32(stack[1]), uint32(stack[2])
	if source, ok := module.Memory().Read(from, size); ok {
		module.Memory().Write(to, source)
	}
}

// process works on a period in place. It returns how sure RNNoise is, from 0 to 1,
// that the period holds speech; known is false when it does not run.
func (n *noise) process(period []float32) (speech float32, known bool) {
	if n.opening {
		select {
		case n.running = <-n.ready:
			n.opening = false
		default:
		}
	}
	if n.running == nil {
		n.pass(period)
		return 0, false
	}
	copy(n.delayed, period)
	speech, ok := n.running.process(period)
	if !ok {
		n.close()
		return 0, false
	}
	n.hush(period, speech)
	return speech, true
}

// hush takes down what is left while nobody speaks: RNNoise knows a stroke of a key
// from speech, and yet lets much of it through. It opens within the period that
// begins to be speech, which still is to come out.
func (n *noise) hush(period []float32, speech float32) {
	if speech > hushSpeech {
		n.quiet = 0
	} else {
		n.quiet++
	}
	to := float32(1)
	if n.quiet > hushAfter {
		to = max(hushLeast, n.level*hushFall)
	}
	for i := range period {
		period[i] *= n.level + (to-n.level)*float32(i+1)/float32(len(period))
	}
	n.level = to
}

// process works on a period in place; after ok is false it cannot be used any more.
func (m *rnnoise) process(period []float32) (speech float32, ok bool) {
	view, ok := m.memory.Read(m.buffer, 4*audio.PeriodSamples)
	if !ok {
		return 0, false
	}
	for i, sample := range period {
		binary.LittleEndian.PutUint32(view[4*i:], math.Float32bits(sample*noiseScale))
	}
	m.stack = [3]uint64{m.state, uint64(m.buffer), uint64(m.buffer)}
	if err := m.call.CallWithStack(context.Background(), m.stack[:]); err != nil {
		return 0, false
	}
	if view, ok = m.memory.Read(m.buffer, 4*audio.PeriodSamples); !ok {
		return 0, false
	}
	for i := range period {
		period[i] = math.Float32frombits(binary.LittleEndian.Uint32(view[4*i:])) / noiseScale
	}
	return api.DecodeF32(m.stack[0]), true
}

// pass lets a period through unchanged, as much later as process would.
func (n *noise) pass(period []float32) {
	copy(n.keep, period)
	copy(period, n.delayed)
	copy(n.delayed, n.keep)
}
