package line

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sotto/net/wire"
	"sotto/settings/advice"
)

// TestFailuresKeepTheirAdvice on their way through the layers that say only who passed them on.
func TestFailuresKeepTheirAdvice(t *testing.T) {
	for want, cause := range map[advice.Kind]error{
		advice.PutInToken: refusal{wire.RefusedAdmission},
		advice.DropProxy:  fmt.Errorf("%w (refused)", ErrProxy),
		advice.None:       refusal{wire.RefusedBusy},
	} {
		err := broken(context.Background(), fmt.Errorf("dialling: %w", cause))
		if got := advice.Of(err).Do; got != want {
			t.Errorf("%q gives the advice %v, not %v", err, got, want)
		}
		if want == advice.DropProxy != errors.Is(err, ErrUnreachable) || want != advice.DropProxy != errors.Is(err, ErrRefused) {
			t.Errorf("%q is of the wrong sort", err)
		}
	}
}
