//go:build voicemodules

package dsp

import _ "embed"

// rnnoiseModule is rnnoise_simd.wasm of @sapphi-red/web-noise-suppressor, fetched
// and checked by .ci/modules.sh.
//
//go:embed modules/rnnoise.wasm
var rnnoiseModule []byte
