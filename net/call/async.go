package call

import "context"

// pending is a value being made on a goroutine of its own.
type pending[T any] struct {
	result  chan outcome[T] // capacity 1
	cancel  context.CancelFunc
	dispose func(T)
	taken   bool
}

type outcome[T any] struct {
	value T
	err   error
}

// async starts work. Its owner takes the value with wait, and calls discard when
// done either way: that stops the work, waits for it, and disposes of a value
// that nobody took.
func async[T any](ctx context.Context, work func(context.Context) (T, error), dispose func(T)) *pending[T] {
	ctx, cancel := context.WithCancel(ctx)
	p := &pending[T]{result: make(chan outcome[T], 1), cancel: cancel, dispose: dispose}
	go func() {
		value, err := work(ctx)
		p.result <- outcome[T]{value, err}
	}()
	return p
}

// wait returns the value, which is the caller's from then on, or why there is none.
func (p *pending[T]) wait(ctx context.Context) (T, error) {
	select {
	case made := <-p.result:
		p.taken = true
		return made.value, made.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

func (p *pending[T]) discard() {
	p.cancel()
	if p.taken {
		return
	}
	if made := <-p.result; made.err == nil && p.dispose != nil {
		p.dispose(made.value)
	}
}
