package world_test

import (
	"context"
	"testing"
	"time"

	"sotto/net/nettest"
	"sotto/net/world"
)

func TestTheDemoCallHolds(t *testing.T) {
	nettest.Leaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	report, err := world.Demo(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Holds() {
		t.Errorf("%+v", report)
	}
	if report.MouthToEar == 0 || report.AnswerToAudio == 0 {
		t.Errorf("nothing was heard: %+v", report)
	}
}
