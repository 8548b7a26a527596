//go:build cgo && !noaudio && linux

package device

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>

typedef void (*handler)(const char *, int, const char *, int, const char *, ...);

static void say_nothing(const char *file, int line, const char *function, int err, const char *format, ...) {}

typedef void (*teller)(const char *);

static void tell_nobody(const char *message) {}

static void quiet_jack(void) {
	void *jack = dlopen("libjack.so.0", RTLD_NOW);
	if (jack == NULL) {
		return;
	}
	void (*set_error)(teller) = (void (*)(teller))dlsym(jack, "jack_set_error_function");
	if (set_error != NULL) {
		set_error(tell_nobody);
	}
	void (*set_info)(teller) = (void (*)(teller))dlsym(jack, "jack_set_info_function");
	if (set_info != NULL) {
		set_info(tell_nobody);
	}
}

// The handles stay open: miniaudio loads the same libraries again by these names.
static void quiet(void) {
	quiet_jack();
	void *alsa = dlopen("libasound.so.2", RTLD_NOW);
	if (alsa == NULL) {
		return;
	}
	void (*set)(handler) = (void (*)(handler))dlsym(alsa, "snd_lib_error_set_handler");
	if (set != NULL) {
		set(say_nothing);
	}
}
*/
import "C"

import (
	"os"
	"sync"
)

// quiet keeps libasound and libjack from writing to standard error, into the middle of a screen
// or of JSON lines, what the error that a device ends with says anyway.
var quiet = sync.OnceFunc(func() { C.quiet() })

// cards tells whether the kernel has sound cards. Without any, ALSA is not asked: it
// would have nothing but plugins, and reads its whole configuration each time.
func cards() bool {
	_, err := os.Stat("/proc/asound")
	return err == nil
}
