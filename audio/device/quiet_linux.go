//go:build cgo && !noaudio && linux

package device

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stddef.h>

typedef void (*handler)(const char *, int, const char *, int, const char *, ...);

static void say_nothing(const char *file, int line, const char *function, int err, const char *format, ...) {}

// The handle stays open: miniaudio loads the same library again by this name.
static void quiet(void) {
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

// quiet keeps libasound from writing to standard error, into the middle of a screen
// or of JSON lines, what the error that a device ends with says anyway.
var quiet = sync.OnceFunc(func() { C.quiet() })

// cards tells whether the kernel has sound cards. Without any, ALSA is not asked: it
// would have nothing but plugins, and reads its whole configuration each time.
func cards() bool {
	_, err := os.Stat("/proc/asound")
	return err == nil
}
